/**
 * Request headers that say who asks: credentials and impersonation. Header text is checked, so that a user or group
 * name can never smuggle in a second header.
 */
import { badRequest, Secret } from '@drover/base';
import type { Connection, Impersonation } from './connection.ts';

export type Headers = Record<string, string | string[]>;

/** The Authorization header of the connection; undefined where the client certificate says it all. */
export async function authorization(
  connection: Connection,
  rejected?: Secret,
): Promise<{ header: string; token?: Secret } | undefined> {
  const { token, username, password } = connection;
  if (token) {
    const current = token instanceof Secret ? token : await token(rejected ? { rejected } : {});
    if (current) return { header: `Bearer ${headerText('token', current.reveal(), true)}`, token: current };
  }
  if (username !== undefined) {
    return { header: `Basic ${Buffer.from(`${username}:${password?.reveal() ?? ''}`).toString('base64')}` };
  }
  return undefined;
}

/** Impersonate-* headers as client-go writes them; extra keys are percent-encoded since header names are case-blind. */
export function impersonationHeaders(impersonation: Impersonation): Headers {
  const { user, groups = [], extra = {}, uid } = impersonation;
  if (user === '') throw badRequest('impersonation needs a user name');
  const headers: Headers = { 'Impersonate-User': headerText('user', user) };
  if (uid) headers['Impersonate-Uid'] = headerText('uid', uid);
  if (groups.length > 0) headers['Impersonate-Group'] = groups.map(group => headerText('group', group));
  for (const [key, values] of Object.entries(extra)) {
    if (values.length === 0) continue;
    headers[`Impersonate-Extra-${escapeKey(key)}`] = values.map(value => headerText('extra value', value));
  }
  return headers;
}

/** UTF-8 as the latin1 text that HTTP/1.1 puts on the wire; control characters are refused. */
function headerText(what: string, value: string, secret = false): string {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) {
    const shown = secret ? '' : ` ${JSON.stringify(value)}`;
    throw badRequest(`${what}${shown} must not contain control characters`);
  }
  return Buffer.from(value, 'utf8').toString('latin1');
}

function escapeKey(key: string): string {
  let escaped = '';
  for (const byte of Buffer.from(key, 'utf8')) {
    const char = String.fromCharCode(byte);
    const plain = /[a-z0-9!#$&'*+.^_`|~-]/.test(char);
    escaped += plain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
