/**
 * For tests: a real SAML identity provider (samlp) on a free port. Whoever comes is signed in at once as the account that the
 * test has set; what it answers can be altered on the way, as somebody with the browser could.
 */
import { execFile } from 'node:child_process';
import { createPublicKey, randomBytes, sign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
// @ts-expect-error: the package brings no types.
import samlp from 'samlp';
import { startTlsPeer } from './tls-peer.ts';

export interface SamlAccount {
  readonly nameId: string;
  readonly attributes: Readonly<Record<string, string | readonly string[]>>;
}

/** How the next answers are made; samlp's own names. */
export interface SamlManner {
  readonly signResponse?: boolean;
  readonly signAssertion?: boolean;
  readonly signatureAlgorithm?: 'rsa-sha256' | 'rsa-sha1';
  readonly digestAlgorithm?: 'sha256' | 'sha1';
  /** PEM: the assertion is encrypted to it. */
  readonly encryptionCert?: string;
  readonly audience?: string;
  readonly recipient?: string;
  readonly inResponseTo?: string;
  readonly issuer?: string;
  readonly lifetimeInSeconds?: number;
  /** Signs with another key than the one that the metadata names. */
  readonly otherKey?: boolean;
}

export interface SamlPeer extends AsyncDisposable {
  readonly url: string;
  readonly ca: string;
  readonly entityId: string;
  /** What the provider says of itself. */
  readonly metadata: string;
  account: SamlAccount;
  manner: SamlManner;
  /** Its demand to sign somebody out, by the redirect binding; signed by another key where it is forged. */
  logoutUrl(sloUrl: string, nameId: string, forged?: boolean): string;
  /** Changes the response on its way. */
  alter: ((xml: string) => string) | undefined;
}

/** What a browser finds on the provider's page: a form that is sent by itself. */
export interface SamlForm {
  readonly action: string;
  readonly SAMLResponse: string;
  readonly RelayState: string;
}

/** An RSA key with a certificate of its own: no other kind is in use for SAML. */
export async function makeSamlPair(commonName: string): Promise<{ cert: string; key: string }> {
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${commonName}`];
  const { stdout } = await promisify(execFile)('openssl', [...args, '-keyout', '-', '-out', '-']);
  const block = (label: string) =>
    new RegExp(`-----BEGIN ${label}-----[^]*?-----END ${label}-----
`).exec(stdout)![0];
  return { cert: block('CERTIFICATE'), key: block('PRIVATE KEY') };
}

export async function startSamlPeer(options: { readonly spCert: string }): Promise<SamlPeer> {
  const tls = await startTlsPeer();
  const own = await makeSamlPair('the provider');
  const other = await makeSamlPair('somebody else');
  const entityId = `${tls.url}/idp`;
  const peer = { account: { nameId: 'nobody', attributes: {} } as SamlAccount, manner: {} as SamlManner } as SamlPeer;

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { manner, account } = peer;
    const { cert, key } = manner.otherKey ? other : own;
    const query = Object.fromEntries(new URL(request.url!, tls.url).searchParams);
    const mapper = () => ({
      getClaims: () => account.attributes,
      getNameIdentifier: () => ({ nameIdentifier: account.nameId, nameIdentifierFormat: unspecified }),
    });
    const fail = (error: Error) => response.writeHead(400).end(error.message);
    const acs = acsOf(query['SAMLRequest'] ?? '');
    const middleware = samlp.auth({
      issuer: entityId,
      signResponse: false,
      ...manner,
      ...(manner.encryptionCert
        ? {
            encryptionPublicKey: createPublicKey(manner.encryptionCert).export({ type: 'spki', format: 'pem' }),
            encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
          }
        : {}),
      cert,
      key,
      // The request must be signed by us, or nothing is answered.
      signingCert: options.spCert,
      profileMapper: mapper,
      recipient: manner.recipient ?? acs,
      destination: acs,
      getUserFromRequest: () => account,
      getPostURL: (_: unknown, __: unknown, ___: unknown, done: (error: undefined, url: string) => void) =>
        done(undefined, acs),
      responseHandler(xml: Buffer) {
        const text = peer.alter ? peer.alter(xml.toString('utf8')) : xml.toString('utf8');
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end(formOf(acs, Buffer.from(text).toString('base64'), query['RelayState'] ?? ''));
      },
    });
    const shim = { send: (status: number) => response.writeHead(status).end(), set: () => undefined };
    middleware(Object.assign(request, { query, originalUrl: request.url }), shim, fail);
  };

  tls.serve((request, response) => {
    const { pathname } = new URL(request.url ?? '/', tls.url);
    if (pathname === '/sso') return answer(request, response);
    response.writeHead(pathname === '/' ? 200 : 404, { 'content-type': 'text/html' }).end('<h1>The provider</h1>');
  });
  return Object.assign(peer, {
    url: tls.url,
    ca: tls.ca,
    entityId,
    logoutUrl: (sloUrl: string, nameId: string, forged = false) =>
      demandOf({ sloUrl, nameId, entityId, key: forged ? other.key : own.key }),
    metadata: metadataOf(entityId, tls.url, own.cert),
    [Symbol.asyncDispose]: () => tls[Symbol.asyncDispose](),
  });
}

/** The signature is over the query as it stands (SAML bindings, 3.4.4.1). */
function demandOf(of: { sloUrl: string; nameId: string; entityId: string; key: string }): string {
  const { sloUrl, nameId, entityId, key } = of;
  const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol';
  const xml = `<samlp:LogoutRequest xmlns:samlp="${protocol}" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${randomBytes(16).toString('hex')}" Version="2.0" IssueInstant="${new Date().toISOString()}" Destination="${sloUrl}"><saml:Issuer>${entityId}</saml:Issuer><saml:NameID>${nameId}</saml:NameID></samlp:LogoutRequest>`;
  const query = new URLSearchParams({
    SAMLRequest: deflateRawSync(xml).toString('base64'),
    RelayState: 'relay',
    SigAlg: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  });
  const signature = sign('sha256', Buffer.from(query.toString()), key).toString('base64');
  return `${sloUrl}?${query}&Signature=${encodeURIComponent(signature)}`;
}

function acsOf(request: string): string {
  const xml = inflateRawSync(Buffer.from(request, 'base64')).toString('utf8');
  return /AssertionConsumerServiceURL="([^"]*)"/.exec(xml)?.[1] ?? '';
}

const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';

function metadataOf(entityId: string, url: string, cert: string): string {
  let text = '';
  const response = { set: () => undefined, send: (xml: string) => (text = xml) };
  samlp.metadata({ issuer: entityId, cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso' })(
    { originalUrl: '/', protocol: 'https', headers: { host: new URL(url).host } },
    response,
  );
  return text;
}

function formOf(action: string, response: string, relayState: string): string {
  const input = (name: string, value: string) => `<input type="hidden" name="${name}" value="${value}">`;
  return `<form method="post" action="${action}">${input('SAMLResponse', response)}${input('RelayState', relayState)}</form>`;
}

/** The form on the provider's page, as a browser would send it. */
export function readSamlForm(html: string): SamlForm {
  const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
  const action = /action="([^"]*)"/.exec(html)?.[1];
  if (!action) throw new Error(`no form on the page: ${html.slice(0, 300)}`);
  return { action, SAMLResponse: value('SAMLResponse'), RelayState: value('RelayState') };
}
