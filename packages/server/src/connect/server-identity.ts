/**
 * The key that this server, with all its replicas, is known by to the agents of its clusters, whatever its name, address and
 * certificate are: a name can run out and be had by somebody else, with a certificate that everybody trusts.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { badRequest } from '@drover/base';
import type { FieldCipher, Store } from '@drover/store';
import { firstValue } from '../first-value.ts';
import type { Route } from '../http/exchange.ts';

export interface ServerIdentity {
  /** The raw Ed25519 key (RFC 8032), base64url: what manifests carry. */
  readonly publicKey: string;
  /** Signs what an agent challenges the server with. */
  prove(nonce: string): string;
  /** Signs what agents shall take for the server's own word; it says itself what it is about. */
  vouch(text: string): string;
  /** For whoever has to prove something to us: ours, and fresh, whichever replica it comes back to. */
  challenge(now?: number): string;
  isFresh(challenge: string, now?: number): boolean;
}

const place = { key: '/server/identity', field: 'key' };
const noncePattern = /^[A-Za-z0-9_-]{43}$/;

/** What is signed; the words before it keep a signature from meaning anything elsewhere. */
const challengeText = (nonce: string): string => `drover server identity\n${nonce}`;

/** The identity in the store, made by whichever replica is first; its key is kept encrypted like every other secret. */
export async function openServerIdentity(store: Store, cipher: FieldCipher): Promise<ServerIdentity> {
  const value = await firstValue(store, place.key, () => {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    return JSON.stringify({ key: cipher.encrypt(pem, place) });
  });
  const { key } = JSON.parse(value) as { readonly key: string };
  return identityOf(createPrivateKey(cipher.decrypt(key, place)));
}

/** Long enough for a slow handshake; a proof that somebody overheard is of no use after it. */
const freshForMs = 60_000;
const ownText = (head: string): Buffer => Buffer.from(`drover server challenge\n${head}`);

function identityOf(key: KeyObject): ServerIdentity {
  const publicKey = createPublicKey(key);
  return {
    publicKey: publicKey.export({ format: 'jwk' }).x!,
    prove: nonce => sign(null, Buffer.from(challengeText(nonce)), key).toString('base64url'),
    vouch: text => sign(null, Buffer.from(text), key).toString('base64url'),
    challenge(now = Date.now()) {
      const head = `${now}.${randomBytes(16).toString('base64url')}`;
      return `${head}.${sign(null, ownText(head), key).toString('base64url')}`;
    },
    isFresh(challenge, now = Date.now()) {
      const match = /^((\d{1,15})\.[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{86})$/.exec(challenge);
      if (!match || Math.abs(now - Number(match[2])) > freshForMs) return false;
      return verify(null, ownText(match[1]!), publicKey, Buffer.from(match[3]!, 'base64url'));
    },
  };
}

/** `/v3/connect/identity?nonce=…`: an agent asks before it shows its token. */
export function identityRoute(identity: ServerIdentity): Route {
  return {
    prefix: '/v3/connect/identity',
    signIn: 'none',
    errors: 'norman',
    async handle({ response, query }) {
      const nonce = query.get('nonce') ?? '';
      if (!noncePattern.test(nonce)) throw badRequest('nonce must be 32 random bytes in base64url');
      const body = JSON.stringify({
        publicKey: identity.publicKey,
        signature: identity.prove(nonce),
        challenge: identity.challenge(),
      });
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
    },
  };
}
