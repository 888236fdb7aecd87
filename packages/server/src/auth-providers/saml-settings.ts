/**
 * What a SAML provider is configured to be: the fields of its authConfig, and what the provider's metadata says of it. Pure:
 * metadata is given as text, never fetched, so nobody can put himself between.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { invalid, Secret } from '@drover/base';
import { DOMParser } from '@xmldom/xmldom';
import { type ConfigFields, required, text } from './config-fields.ts';

export interface SamlSettings {
  /** Names paths, principals and tokens, such as `okta`. */
  readonly name: string;
  /** Who we are to the provider. */
  readonly entityId: string;
  /** `https://host/v1-saml/NAME/saml`: below it lie metadata, acs and slo. */
  readonly base: string;
  readonly spCert: string;
  readonly spKey: Secret;
  readonly idp: IdpMetadata;
  readonly fields: { readonly uid: string; readonly user: string; readonly display: string; readonly groups: string };
  readonly nameIdFormat?: string;
  /** What must be signed beyond the least: that either the response or the assertion is. */
  readonly signed: { readonly response: boolean; readonly assertion: boolean };
}

export interface IdpMetadata {
  readonly entityId: string;
  readonly ssoUrl: string;
  readonly sloUrl?: string;
  /** PEM of what it signs with; several while it changes them. */
  readonly certificates: readonly string[];
}

/** The providers of this kind: by name their types in `/v3` and `/v3-public`. */
export const samlProviders = [
  { name: 'ping', configType: 'pingConfig', providerType: 'pingProvider' },
  { name: 'adfs', configType: 'adfsConfig', providerType: 'adfsProvider' },
  { name: 'keycloak', configType: 'keyCloakConfig', providerType: 'keyCloakProvider' },
  { name: 'okta', configType: 'oktaConfig', providerType: 'oktaProvider' },
  { name: 'shibboleth', configType: 'shibbolethConfig', providerType: 'shibbolethProvider' },
] as const;

/** On the authConfig: `response`, `assertion` or both with a comma, to demand more signatures than the least. */
export const requireSignedAnnotation = 'auth.cattle.io/saml-require-signed';

const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';

/** Throws Invalid naming the field; `requireSigned` is what requireSignedAnnotation holds. */
export function samlSettings(name: string, fields: ConfigFields, requireSigned = ''): SamlSettings {
  const host = required(fields, 'rancherApiHost').replace(/\/+$/, '');
  if (!URL.canParse(host) || new URL(host).protocol !== 'https:')
    throw invalid('rancherApiHost', 'must be the https address of this server');
  const base = `${host}/v1-saml/${name}/saml`;
  const entityId = text(fields, 'entityID') ?? `${base}/metadata`;
  const demanded = requireSigned.split(',').map(word => word.trim());
  return {
    name,
    entityId,
    base,
    ...keyPair(required(fields, 'spCert'), required(fields, 'spKey')),
    idp: parseIdpMetadata(required(fields, 'idpMetadataContent')),
    fields: {
      uid: required(fields, 'uidField'),
      user: required(fields, 'userNameField'),
      display: required(fields, 'displayNameField'),
      groups: required(fields, 'groupsField'),
    },
    ...(name === 'adfs' || name === 'okta' ? { nameIdFormat: unspecified } : {}),
    signed: { response: demanded.includes('response'), assertion: demanded.includes('assertion') },
  };
}

function keyPair(spCert: string, spKey: string): Pick<SamlSettings, 'spCert' | 'spKey'> {
  try {
    const key = createPrivateKey(spKey);
    if (key.asymmetricKeyType !== 'rsa') throw invalid('spKey', 'must be an RSA key');
    if (!new X509Certificate(spCert).checkPrivateKey(key)) throw invalid('spKey', 'must be the key of spCert');
    const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
    return { spCert, spKey: new Secret(pem) };
  } catch (error) {
    if (error instanceof Error && error.name === 'StatusError') throw error;
    // The library's text may hold a piece of the key.
    throw invalid('spKey', 'spCert and spKey must be a PEM certificate and its unencrypted PEM key');
  }
}

const maxMetadata = 512 * 1024;
const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';

/** Throws Invalid for what is no metadata of one identity provider, or names no address or no key. */
export function parseIdpMetadata(xml: string): IdpMetadata {
  const field = 'idpMetadataContent';
  if (xml.length > maxMetadata) throw invalid(field, `must have at most ${maxMetadata} characters`);
  const root = parseXml(xml, field);
  const entities = [...elements(root, 'EntityDescriptor')].filter(
    each => elements(each, 'IDPSSODescriptor').length > 0,
  );
  if (root.localName === 'EntityDescriptor' && elements(root, 'IDPSSODescriptor').length > 0) entities.unshift(root);
  const [entity, another] = entities;
  if (!entity || another) throw invalid(field, 'must describe one identity provider (EntityDescriptor)');
  const role = elements(entity, 'IDPSSODescriptor')[0]!;
  const entityId = entity.getAttribute('entityID');
  const ssoUrl = locationOf(role, 'SingleSignOnService');
  if (!entityId) throw invalid(field, 'has no entityID');
  if (!ssoUrl) throw invalid(field, 'has no SingleSignOnService by HTTP-Redirect at an https address');
  const certificates = elements(role, 'KeyDescriptor')
    .filter(each => each.getAttribute('use') !== 'encryption')
    .flatMap(each => elements(each, 'X509Certificate'))
    .map(each => pemOf(each.textContent ?? '', field));
  if (certificates.length === 0) throw invalid(field, 'has no certificate to check signatures by');
  return { entityId, ssoUrl, sloUrl: locationOf(role, 'SingleLogoutService'), certificates };
}

/** The document's root; throws Invalid for what is not well-formed, or declares entities. */
export function parseXml(xml: string, field: string): Element {
  if (/<!DOCTYPE|<!ENTITY/i.test(xml)) throw invalid(field, 'must hold no document type');
  const fail = () => {
    throw invalid(field, 'must be well-formed XML');
  };
  try {
    const parser = new DOMParser({
      locator: {},
      errorHandler: { warning: () => undefined, error: fail, fatalError: fail },
    });
    const root = parser.parseFromString(xml.trim(), 'text/xml').documentElement as Element | null;
    return root ?? fail();
  } catch {
    return fail();
  }
}

/** Everything of that local name below, at any depth. */
export function elements(from: Element, localName: string): Element[] {
  return Array.from(from.getElementsByTagNameNS('*', localName) as unknown as ArrayLike<Element>);
}

function locationOf(role: Element, service: string): string | undefined {
  const found = elements(role, service).find(each => each.getAttribute('Binding') === redirectBinding);
  const location = found?.getAttribute('Location') ?? '';
  return URL.canParse(location) && new URL(location).protocol === 'https:' ? location : undefined;
}

function pemOf(content: string, field: string): string {
  try {
    return new X509Certificate(Buffer.from(content.replace(/\s+/g, ''), 'base64')).toString();
  } catch {
    throw invalid(field, 'has a certificate that can not be read');
  }
}
