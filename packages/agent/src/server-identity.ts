/**
 * Asks the server to prove who it is before the registration token is shown to it. A certificate says whose name it is now;
 * the key in the manifest says which server made the manifest, and a name that somebody else has by now does not have it.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { messageOf, unavailable } from '@drover/base';
import { getText } from './get-text.ts';

export interface Expected {
  /** Raw Ed25519 key, base64url. */
  readonly serverKey: string;
  /** CA bundle to trust; absent: the system's roots. */
  readonly ca?: string;
  readonly signal?: AbortSignal;
}

const maxAnswerBytes = 4096;

/**
 * Resolves when the server holds the key, with the challenge that it gives to whoever wants to prove something in turn; rejects with
 * ServiceUnavailable saying what it answered instead.
 */
export async function requireServerIdentity(server: string, expected: Expected): Promise<string> {
  const nonce = randomBytes(32).toString('base64url');
  const { signature, challenge } = await ask(`${server}/v3/connect/identity?nonce=${nonce}`, expected).catch(error => {
    throw unavailable(`${server} did not prove who it is: ${messageOf(error)}`, { cause: error });
  });
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: expected.serverKey }, format: 'jwk' });
  const text = `drover server identity\n${nonce}`;
  if (!verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))) {
    throw unavailable(
      `${server} is not the server whose manifest was applied here: its identity is another one. ` +
        'If the server was set up anew, apply its import manifest again',
    );
  }
  return challenge;
}

async function ask(url: string, { ca, signal }: Expected): Promise<{ signature: string; challenge: string }> {
  const { status, body } = await getText(url, {
    tls: ca === undefined ? {} : { ca },
    maxBytes: maxAnswerBytes,
    signal,
  });
  try {
    const { signature, challenge = '' } = JSON.parse(body) as { signature?: unknown; challenge?: unknown };
    if (status === 200 && typeof signature === 'string') return { signature, challenge: String(challenge) };
  } catch {
    // What is no JSON holds no signature either.
  }
  throw new Error(`it answered ${status} without a signature`);
}
