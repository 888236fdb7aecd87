/**
 * Credentials: what a request shows, before anything is looked up. The Authorization header, whatever it holds, keeps the
 * cookie from being looked at.
 */
import type { IncomingMessage } from 'node:http';

export const sessionCookie = 'R_SESS';

export interface Credential {
  readonly via: 'bearer' | 'basic' | 'cookie';
  /** `name:key`. */
  readonly text: string;
}

export interface ParsedBearer {
  readonly name: string;
  readonly key: string;
}

const longest = 1024;
const namePattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const keyPattern = /^[A-Za-z0-9]{16,256}$/;

/** The credential shown; `bad` for one that can't be read, undefined where there is none. */
export function readCredential(request: IncomingMessage, cookies: boolean): Credential | 'bad' | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) return readAuthorization(authorization) ?? 'bad';
  if (!cookies) return undefined;
  const text = readCookie(request.headers.cookie, sessionCookie);
  return text === undefined || text === '' ? undefined : { via: 'cookie', text };
}

function readAuthorization(header: string): Credential | undefined {
  if (header.length > longest) return undefined;
  const space = header.indexOf(' ');
  const scheme = header.slice(0, space).toLowerCase();
  const value = header.slice(space + 1).trim();
  if (space < 0 || value === '') return undefined;
  if (scheme === 'bearer') return { via: 'bearer', text: value };
  // Both alphabets of base64 are taken: clients of either kind are about.
  if (scheme === 'basic' && /^[A-Za-z0-9+/_-]+={0,2}$/.test(value))
    return { via: 'basic', text: Buffer.from(value, 'base64').toString('utf8') };
  return undefined;
}

/** The name and key of a bearer, or undefined where it can't be one: exactly one colon, and nothing that is not of either. */
export function parseBearer(text: string): ParsedBearer | undefined {
  if (text.length > longest) return undefined;
  const colon = text.indexOf(':');
  const [name, key] = [text.slice(0, colon), text.slice(colon + 1)];
  return namePattern.test(name) && keyPattern.test(key) ? { name, key } : undefined;
}

/** A cookie's value; of several of one name the first, as browsers send the most specific first. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (!header?.includes(name)) return undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) {
      const value = part.slice(equals + 1).trim();
      const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
      return quoted ? value.slice(1, -1) : value;
    }
  }
  return undefined;
}
