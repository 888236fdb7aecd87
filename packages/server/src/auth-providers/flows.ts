/** The protocols by themselves, for tests that hold each to a real provider without a server around it. */
export { OidcClients } from './oidc-client.ts';
export { beginOidc, finishOidc, oidcLogoutUrl, refreshOidc } from './oidc-flow.ts';
export { type OidcSettings, oidcSettings } from './oidc-settings.ts';
export { beginSaml, finishSaml, samlLogoutUrl, samlMetadata } from './saml-flow.ts';
export { parseIdpMetadata, type SamlSettings, samlSettings } from './saml-settings.ts';
