/**
 * Signing in with OpenID Connect: the code flow with PKCE, state and nonce, all three kept in the browser's sealed cookie
 * between its two steps. The ID token's signature is checked although it came over TLS, so that its claims stand by themselves.
 */
import { forbidden, unauthorized } from '@drover/base';
import { jwtVerify } from 'jose';
import * as openid from 'openid-client';
import type { Identity } from './identity.ts';
import { type Claims, identityOf } from './oidc-claims.ts';
import { clockSkewSeconds, findStatusError, type OidcClient, type OidcClients } from './oidc-client.ts';
import type { OidcSettings } from './oidc-settings.ts';

/** What the browser's cookie keeps between the two steps. */
export interface OidcPending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Where to send the browser, and what it must come back with. */
export async function beginOidc(
  clients: OidcClients,
  settings: OidcSettings,
  options: { readonly redirectUri: string; readonly state: string },
): Promise<{ readonly url: string; readonly pending: OidcPending }> {
  const client = await clients.get(settings);
  const verifier = openid.randomPKCECodeVerifier();
  const nonce = openid.randomNonce();
  const redirectUri = settings.redirectUri ?? options.redirectUri;
  const url = openid.buildAuthorizationUrl(client.openid, {
    redirect_uri: redirectUri,
    scope: settings.scope,
    state: options.state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(settings.acr ? { acr_values: settings.acr } : {}),
    ...(settings.required['hd'] ? { hd: settings.required['hd'] } : {}),
  });
  return { url: url.href, pending: { state: options.state, nonce, verifier, redirectUri } };
}

/**
 * Who came back with these parameters of the callback. Throws Unauthorized for whatever does not fit what was begun,
 * Forbidden where the provider refused him or says nothing usable, Unavailable where it can't be reached.
 */
export async function finishOidc(
  clients: OidcClients,
  settings: OidcSettings,
  given: { readonly query: URLSearchParams; readonly pending: OidcPending },
): Promise<Identity> {
  const { query, pending } = given;
  const client = await clients.get(settings);
  const came = new URL(pending.redirectUri);
  came.search = query.toString();
  const tokens = await checked(settings, () =>
    openid.authorizationCodeGrant(client.openid, came, {
      pkceCodeVerifier: pending.verifier,
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      idTokenExpected: true,
    }),
  );
  const idToken = tokens.id_token!;
  const claims = await checked(settings, () => verified(client, settings, idToken));
  const all = { ...claims, ...(await userInfo(client, settings, { token: tokens.access_token, sub: claims.sub! })) };
  return {
    ...identityOf(settings, all),
    keep: { idToken, subject: claims.sub!, ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}) },
  };
}

/** Asks again with the refresh token that a sign-in left; undefined where it left none. Throws Unauthorized once it is over. */
export async function refreshOidc(
  clients: OidcClients,
  settings: OidcSettings,
  keep: NonNullable<Identity['keep']>,
): Promise<Identity | undefined> {
  const { refreshToken, subject } = keep;
  if (!refreshToken || !subject) return undefined;
  const client = await clients.get(settings);
  const tokens = await checked(settings, () => openid.refreshTokenGrant(client.openid, refreshToken));
  const claims = tokens.id_token ? await checked(settings, () => verified(client, settings, tokens.id_token!)) : {};
  const all = { ...claims, ...(await userInfo(client, settings, { token: tokens.access_token, sub: subject })) };
  const idToken = tokens.id_token ?? keep['idToken'];
  return {
    ...identityOf(settings, all),
    keep: { ...keep, ...(idToken ? { idToken } : {}), refreshToken: tokens.refresh_token ?? refreshToken },
  };
}

/** Where the provider's own session is ended; undefined where it offers no such place (RP-initiated logout). */
export async function oidcLogoutUrl(
  clients: OidcClients,
  settings: OidcSettings,
  options: { readonly idToken?: string; readonly returnTo: string; readonly state: string },
): Promise<string | undefined> {
  const client = await clients.get(settings);
  const endpoint = settings.endpoints.endSession ?? client.openid.serverMetadata().end_session_endpoint;
  if (!endpoint) return undefined;
  const url = new URL(endpoint);
  url.searchParams.set('client_id', settings.clientId);
  url.searchParams.set('post_logout_redirect_uri', options.returnTo);
  url.searchParams.set('state', options.state);
  if (options.idToken) url.searchParams.set('id_token_hint', options.idToken);
  return url.href;
}

async function verified(client: OidcClient, settings: OidcSettings, idToken: string) {
  const { payload } = await jwtVerify(idToken, client.keys, {
    issuer: client.openid.serverMetadata().issuer,
    audience: settings.clientId,
    algorithms: asymmetric,
    clockTolerance: clockSkewSeconds,
    requiredClaims: ['sub', 'exp', 'iat'],
  });
  return payload;
}

/** Never what the ID token has proved: an answer about another subject is refused, and these claims are the token's alone. */
async function userInfo(
  client: OidcClient,
  settings: OidcSettings,
  { token, sub }: { readonly token: string; readonly sub: string },
): Promise<Claims> {
  if (!client.openid.serverMetadata().userinfo_endpoint) return {};
  const { iss, aud, exp, iat, nonce, hd, oid, ...more } = await checked(settings, () =>
    openid.fetchUserInfo(client.openid, token, sub),
  );
  return more;
}

/** Errors of the libraries in our words: they may hold what the provider, or who sent the browser here, wrote. */
async function checked<T>(settings: OidcSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const ours = findStatusError(error);
    if (ours) throw ours;
    if (error instanceof openid.AuthorizationResponseError && error.error === 'access_denied')
      throw forbidden(`"${settings.name}" did not let you sign in`, { code: 'PermissionDenied' });
    throw unauthorized(`"${settings.name}" answered what can't be accepted (${codeOf(error)})`, {
      code: 'Unauthorized',
    });
  }
}

function codeOf(error: unknown): string {
  const { code, error: oauth } = error as { code?: unknown; error?: unknown };
  const text = [code, oauth].find(each => typeof each === 'string' && /^[\w.-]{1,64}$/.test(each));
  return typeof text === 'string' ? text : 'no reason given';
}
