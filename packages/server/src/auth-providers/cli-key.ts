/**
 * The key that a command line waits with: Go's form of an RSA public key, as the original's own command line sends it. What is
 * encrypted to it is of use to that program alone, whoever else asks for it.
 */
import { constants, createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto';
import { invalid, type Secret } from '@drover/base';

const longest = 4096;

/** From base64 of `{"N":…,"E":65537}`; throws Invalid for what is no RSA key of 2048 to 4096 bits. */
export function parseGoKey(text: string): KeyObject {
  const fail = () =>
    invalid('publicKey', 'must be base64 of {"N":…,"E":65537}, an RSA key of 2048 to 4096 bits', 'InvalidFormat');
  // A plus sign in an address is a space to whoever reads it as a form.
  const encoded = text.replace(/ /g, '+');
  if (encoded.length > longest || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw fail();
  const json = Buffer.from(encoded, 'base64').toString('utf8');
  // By hand: a number of six hundred digits is not one of JSON.parse's.
  const modulus = /^\s*\{\s*"N"\s*:\s*(\d{600,1300})\s*,\s*"E"\s*:\s*65537\s*\}\s*$/.exec(json)?.[1];
  if (!modulus) throw fail();
  const n = BigInt(modulus);
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 4096 || n % 2n === 0n) throw fail();
  const hex = n.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return createPublicKey({ key: { kty: 'RSA', n: bytes.toString('base64url'), e: 'AQAB' }, format: 'jwk' });
}

/** Base64 of RSA-OAEP with SHA-256, without a label. */
export function encryptFor(key: KeyObject, text: Secret): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from(text.reveal())).toString('base64');
}
