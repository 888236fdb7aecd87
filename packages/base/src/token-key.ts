/**
 * The key of a token and its hash. Keys are random and long, so a fast hash is enough: `$3:1:<salt>:<SHA3-512(salt‖key)>`,
 * the form that the authorized endpoint of a cluster can check too. Older forms are read, never written.
 */
import { hash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { randomName } from './names.ts';

const keyLength = 54;
const saltBytes = 8;
const scryptAsync = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** 54 unguessable characters (257 bits). */
export function makeKey(): string {
  return randomName(keyLength);
}

export function hashKey(key: string, salt: Buffer = randomBytes(saltBytes)): string {
  return `$3:1:${rawBase64(salt)}:${rawBase64(sha3(salt, key))}`;
}

/** Does work that takes memory and a thread when its turn comes. */
export type Slowly = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Whether the key is the one that was hashed, in constant time. Reads `$3` (SHA3-512), `$2` (SHA-256) and `$1` (scrypt, done
 * `slowly`); anything else, a key in plain text first of all, matches nothing.
 */
export function matchesKey(
  stored: string | undefined,
  key: string,
  slowly: Slowly = work => work(),
): boolean | Promise<boolean> {
  const parts = (stored ?? '').split(':');
  const [version] = parts;
  if (version === '$3' && parts.length === 4 && parts[1] === '1') {
    return equal(Buffer.from(parts[3]!, 'base64'), sha3(Buffer.from(parts[2]!, 'base64'), key), 64);
  }
  if (version === '$2' && parts.length === 3) {
    return equal(Buffer.from(parts[2]!, 'base64'), hash('sha256', parts[1]! + key, 'buffer'), 32);
  }
  if (version === '$1' && parts.length === 6) return matchesScrypt(parts, key, slowly);
  return false;
}

async function matchesScrypt(parts: readonly string[], key: string, slowly: Slowly): Promise<boolean> {
  const [logN, blockSize, parallelization] = parts.slice(2, 5).map(Number) as [number, number, number];
  // Its cost comes from what was stored: a larger one than the original ever wrote could be used to stop the server.
  if (!(logN <= 15 && blockSize <= 8 && parallelization === 1)) return false;
  const expected = Buffer.from(parts[5]!, 'base64');
  const options = { N: 2 ** logN, r: blockSize, p: parallelization, maxmem: 64 * 1024 * 1024 };
  const actual = await slowly(() => scryptAsync(key, Buffer.from(parts[1]!, 'hex'), 64, options));
  return equal(expected, actual, 64);
}

function sha3(salt: Buffer, key: string): Buffer {
  return hash('sha3-512', Buffer.concat([salt, Buffer.from(key)]), 'buffer');
}

function equal(expected: Buffer, actual: Buffer, length: number): boolean {
  return expected.length === length && timingSafeEqual(expected, actual);
}

function rawBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
