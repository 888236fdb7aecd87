/** Digest authentication (RFC 7616): the answer to a server's challenge, with quality of protection `auth`. */
import { createHash, randomBytes } from 'node:crypto';
import { badRequest, type Secret } from '@drover/base';

export interface DigestRequest {
  readonly method: string;
  /** Path and query. */
  readonly uri: string;
  readonly username: string;
  readonly password: Secret;
  readonly cnonce?: string;
}

const algorithms: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

/** The value of Authorization; throws BadRequest for a challenge that is none, or none that is known here. */
export function digestAnswer(challenge: string, request: DigestRequest): string {
  const given = parseChallenge(challenge);
  const { realm = '', nonce = '', opaque, algorithm = 'MD5' } = given;
  const name = Object.keys(algorithms).find(one => one === algorithm.toUpperCase());
  const qops = given['qop']?.split(',').map(one => one.trim());
  if (!name || nonce === '' || (qops && !qops.includes('auth')))
    throw badRequest('the host asks for a way of signing in that is not known here');
  const hash = (text: string) => createHash(algorithms[name]!).update(text).digest('hex');
  const { method, uri, username, password, cnonce = randomBytes(16).toString('hex') } = request;
  const [ha1, ha2] = [hash(`${username}:${realm}:${password.reveal()}`), hash(`${method}:${uri}`)];
  const response = qops ? hash(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`) : hash(`${ha1}:${nonce}:${ha2}`);
  const quoted = { username, realm, nonce, uri, response, ...(opaque ? { opaque } : {}) };
  for (const value of Object.values(quoted))
    if (/["\\\r\n]/.test(value)) throw badRequest('a name or challenge with quotes in it can not be used here');
  return [
    `Digest ${Object.entries(quoted)
      .map(([key, value]) => `${key}="${value}"`)
      .join(', ')}`,
    `algorithm=${name}`,
    ...(qops ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
  ].join(', ');
}

function parseChallenge(text: string): Record<string, string> {
  const body = /^\s*digest\s+(.*)$/is.exec(text)?.[1];
  if (!body) throw badRequest('the host did not ask for Digest');
  const out: Record<string, string> = {};
  for (const [, key, quoted, plain] of body.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/gi))
    out[key!.toLowerCase()] ??= quoted ?? plain ?? '';
  return out;
}
