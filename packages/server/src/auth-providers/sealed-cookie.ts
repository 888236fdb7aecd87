/**
 * What a sign-in elsewhere must find again when the browser comes back: sealed into a cookie of that browser alone, so that
 * the server keeps nothing for people who never return, and nobody can be made to finish what another began.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Secret } from '@drover/base';
import { readCookie } from '../auth/credentials.ts';

/** How long somebody may take to sign in elsewhere, in ms. */
export const pendingMs = 600_000;

export interface Pending {
  readonly provider: string;
  /** Random; the provider hands it back, and the cookie is named for it. */
  readonly state: string;
  /** Where to go afterwards: see returnPath. */
  readonly returnTo: string;
  readonly expiresAt: number;
  /** What the protocol needs again. */
  readonly data: Readonly<Record<string, string>>;
}

/** With this prefix a browser takes it from this very host alone, over TLS: no neighbour under the same domain can plant one. */
const prefix = '__Host-R_LOGIN_';
const longest = 4096;

export const newState = (): string => randomBytes(32).toString('base64url');

const cookieName = (state: string): string => `${prefix}${hash('sha256', state, 'hex').slice(0, 16)}`;

/** `crossSite` where the provider's page posts back to us: a browser sends no other cookie along then. */
export function setPending(
  response: ServerResponse,
  key: Secret,
  given: { readonly pending: Pending; readonly crossSite: boolean },
): void {
  const { pending, crossSite } = given;
  const value = seal(key, JSON.stringify(pending), cookieName(pending.state));
  const sameSite = crossSite ? 'None' : 'Lax';
  response.appendHeader(
    'set-cookie',
    `${cookieName(pending.state)}=${value}; Path=/; Max-Age=${pendingMs / 1000}; HttpOnly; Secure; SameSite=${sameSite}`,
  );
}

/** What this browser began under this state, with this provider; undefined where it didn't, or too long ago. */
export function readPending(
  request: IncomingMessage,
  key: Secret,
  expected: { readonly state: string; readonly provider?: string; readonly now: number },
): Pending | undefined {
  if (!/^[\w-]{16,128}$/.test(expected.state)) return undefined;
  const name = cookieName(expected.state);
  const value = readCookie(request.headers.cookie, name);
  const text = value === undefined ? undefined : unseal(key, value, name);
  if (text === undefined) return undefined;
  const pending = JSON.parse(text) as Pending;
  if (pending.state !== expected.state || pending.expiresAt <= expected.now) return undefined;
  return expected.provider === undefined || pending.provider === expected.provider ? pending : undefined;
}

/** Once used, or refused, it is good for nothing more. */
export function clearPending(response: ServerResponse, state: string): void {
  response.appendHeader('set-cookie', `${cookieName(state)}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`);
}

function seal(key: Secret, text: string, place: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.reveal(), 'base64url'), nonce).setAAD(
    Buffer.from(place),
  );
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

function unseal(key: Secret, value: string, place: string): string | undefined {
  if (value.length > longest) return undefined;
  const bytes = Buffer.from(value, 'base64url');
  if (bytes.length < 29) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.reveal(), 'base64url'), bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(12, 28));
  try {
    return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    // Not sealed by us: the same as no cookie at all.
    return undefined;
  }
}
