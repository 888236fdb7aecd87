/**
 * Signing in by a browser, anybody's way of signing in there: this program shows an address and a code, its owner opens the
 * address wherever he likes, compares and allows, and the token comes back encrypted to a key that only this program has.
 */
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto';
import { hostname } from 'node:os';
import { badRequest, forbidden, sleep, timedOut } from '@drover/base';
import { Client, type ClientOptions } from '../client.ts';
import { say } from '../messages.ts';

interface Begun {
  readonly id: string;
  readonly url: string;
  readonly code: string;
  readonly endsAt: string;
  readonly pollMs?: number;
}

interface PickedUp {
  readonly token?: string;
  readonly phase?: string;
}

/** Longer than the server keeps a request. */
const longestMs = 20 * 60_000;

/** The token, once its owner has allowed it; throws Forbidden where he denied, Timeout where nobody answered in time. */
export async function browserLogin(url: string, ca: string | undefined, options: ClientOptions): Promise<string> {
  await using client = new Client({ url, ca }, options);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const body = { publicKey: goKey(publicKey), responseType: 'json', host: hostname() };
  const begun = await client.request<Begun>('POST', '/v3-public/authTokens', body);
  // The server's own word for its address may be another than the one that was trusted here.
  const page = new URL(begun.url);
  process.stderr.write(`${say('browserOpen', { url: `${url}${page.pathname}${page.search}` })}\n`);
  process.stderr.write(`${say('browserCode', { code: begun.code })}\n`);
  const path = `/v3-public/authTokens/${encodeURIComponent(begun.id)}`;
  try {
    const token = await waitFor(client, path, begun);
    return decrypt(privateKey, token);
  } finally {
    // It is over by itself soon; a server that is away now is no reason to fail.
    await client.request('DELETE', path).catch(() => undefined);
  }
}

async function waitFor(client: Client, path: string, { endsAt, pollMs = 2000 }: Begun): Promise<string> {
  const until = Math.min(Date.parse(endsAt) || 0, Date.now() + longestMs);
  const pause = Math.min(Math.max(pollMs, 500), 30_000);
  while (Date.now() < until) {
    const { token, phase } = await client.request<PickedUp>('GET', path).catch(error => {
      if (error.status === 403) throw forbidden(say('browserDenied'));
      throw error;
    });
    if (token) return token;
    if (phase === 'denied') throw forbidden(say('browserDenied'));
    await sleep(pause);
  }
  throw timedOut(say('browserLate'));
}

/** Go's form of an RSA public key, which servers of this kind take. */
function goKey(key: KeyObject): string {
  const modulus = BigInt(`0x${Buffer.from(key.export({ format: 'jwk' }).n!, 'base64url').toString('hex')}`);
  return Buffer.from(`{"N":${modulus},"E":65537}`).toString('base64');
}

function decrypt(key: KeyObject, token: string): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  try {
    return privateDecrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from(token, 'base64')).toString('utf8');
  } catch (cause) {
    throw badRequest('the server gave a token that is not for this program', cause);
  }
}
