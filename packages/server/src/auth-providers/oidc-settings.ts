/**
 * What an OpenID Connect provider is configured to be: the fields of its authConfig, with what is known of each product filled
 * in. Pure: nothing is asked for here.
 */
import { invalid, messageOf, Secret } from '@drover/base';
import { type ConfigFields, httpsUrl, required, secret, text } from './config-fields.ts';

export interface OidcSettings {
  /** Names principals and tokens, such as `keycloakoidc`. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Where the provider sends people back to, as it is registered there. */
  readonly redirectUri?: string;
  readonly scope: string;
  /** Which claim says what; the groups' may be a path into the claims, such as `realm_access.roles`. */
  readonly claims: { readonly id: string; readonly name: string; readonly email: string; readonly groups: string };
  /** PEM to trust; with a key also shown as our own certificate. */
  readonly certificate?: string;
  readonly privateKey?: Secret;
  readonly acr?: string;
  /** Endpoints given by hand: all three stand for discovery. */
  readonly endpoints: {
    readonly authorization?: string;
    readonly token?: string;
    readonly jwks?: string;
    readonly userInfo?: string;
    readonly endSession?: string;
  };
  /** Claims that must hold exactly these values, such as the domain of Google's accounts. */
  readonly required: Readonly<Record<string, string>>;
}

/** The providers of this kind: by name their types in `/v3` and `/v3-public`. */
export const oidcProviders = [
  { name: 'oidc', configType: 'oidcConfig', providerType: 'oidcProvider' },
  { name: 'keycloakoidc', configType: 'keyCloakOIDCConfig', providerType: 'keyCloakOIDCProvider' },
  { name: 'genericoidc', configType: 'genericOIDCConfig', providerType: 'genericOIDCProvider' },
  { name: 'cognito', configType: 'cognitoConfig', providerType: 'cognitoProvider' },
  { name: 'azuread', configType: 'azureADConfig', providerType: 'azureADProvider' },
  { name: 'googleoauth', configType: 'googleOauthConfig', providerType: 'googleOAuthProvider' },
] as const;

/** Throws Invalid naming the field that is missing or wrong. */
export function oidcSettings(name: string, fields: ConfigFields): OidcSettings {
  if (name === 'azuread') return azureSettings(fields);
  if (name === 'googleoauth') return googleSettings(fields);
  const scope = text(fields, 'scope') ?? text(fields, 'scopes') ?? 'openid profile email';
  return {
    name,
    issuer: httpsUrl(fields, 'issuer', true)!,
    clientId: required(fields, 'clientId'),
    clientSecret: new Secret(required(fields, 'clientSecret')),
    redirectUri: httpsUrl(fields, 'rancherUrl'),
    scope: scopes(scope),
    claims: {
      id: 'sub',
      name: text(fields, 'nameClaim') ?? 'name',
      email: text(fields, 'emailClaim') ?? 'email',
      groups: text(fields, 'groupsClaim') ?? (name === 'cognito' ? 'cognito:groups' : 'groups'),
    },
    certificate: text(fields, 'certificate'),
    privateKey: secret(fields, 'privateKey'),
    acr: text(fields, 'acrValue'),
    endpoints: {
      authorization: httpsUrl(fields, 'authEndpoint'),
      token: httpsUrl(fields, 'tokenEndpoint'),
      jwks: httpsUrl(fields, 'jwksUrl'),
      userInfo: httpsUrl(fields, 'userInfoEndpoint'),
      endSession: httpsUrl(fields, 'endSessionEndpoint'),
    },
    required: {},
  };
}

/** Users are known by their object id, which no tenant gives twice; `sub` is another one for each application. */
function azureSettings(fields: ConfigFields): OidcSettings {
  const endpoint = httpsUrl(fields, 'endpoint') ?? 'https://login.microsoftonline.com/';
  const tenant = required(fields, 'tenantId');
  if (!/^[A-Za-z0-9.-]{1,128}$/.test(tenant)) throw invalid('tenantId', 'must be the id or a domain of one tenant');
  if (/^(?:common|organizations|consumers)$/i.test(tenant))
    throw invalid('tenantId', 'must name one tenant: anybody could sign in otherwise');
  return {
    name: 'azuread',
    issuer: `${endpoint.replace(/\/+$/, '')}/${tenant}/v2.0`,
    clientId: required(fields, 'applicationId'),
    clientSecret: new Secret(required(fields, 'applicationSecret')),
    redirectUri: httpsUrl(fields, 'rancherUrl'),
    scope: 'openid profile email',
    claims: { id: 'oid', name: 'name', email: 'preferred_username', groups: 'groups' },
    certificate: text(fields, 'certificate'),
    endpoints: { endSession: httpsUrl(fields, 'endSessionEndpoint') },
    required: {},
  };
}

/** The client comes as the JSON that Google's console gives; only accounts of the one domain are let in. */
function googleSettings(fields: ConfigFields): OidcSettings {
  const hostname = required(fields, 'hostname');
  let client: { client_id?: unknown; client_secret?: unknown; redirect_uris?: unknown };
  try {
    const parsed = JSON.parse(required(fields, 'oauthCredential'));
    client = parsed.web ?? parsed.installed ?? {};
  } catch (cause) {
    throw invalid('oauthCredential', `must be the JSON of an OAuth client: ${messageOf(cause).slice(0, 80)}`);
  }
  const { client_id: id, client_secret: key, redirect_uris: uris } = client;
  if (typeof id !== 'string' || typeof key !== 'string')
    throw invalid('oauthCredential', 'must have web.client_id and web.client_secret');
  const redirect = Array.isArray(uris) && typeof uris[0] === 'string' ? { redirectUri: uris[0] } : {};
  return {
    name: 'googleoauth',
    issuer: httpsUrl(fields, 'issuer') ?? 'https://accounts.google.com',
    clientId: id,
    clientSecret: new Secret(key),
    redirectUri: httpsUrl(redirect, 'redirectUri'),
    scope: 'openid profile email',
    claims: { id: 'sub', name: 'name', email: 'email', groups: 'groups' },
    certificate: text(fields, 'certificate'),
    endpoints: {},
    required: { hd: hostname },
  };
}

function scopes(given: string): string {
  const words = given.split(/[\s,]+/).filter(Boolean);
  return [...new Set(['openid', ...words])].join(' ');
}
