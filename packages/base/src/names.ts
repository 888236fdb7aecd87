/**
 * Names of resources: what Kubernetes allows, and the random parts of generated ones.
 */
import { randomBytes } from 'node:crypto';

/** Kubernetes' suffix alphabet: no vowels (no words), none that look alike. Tokens use the same letters (27 with these digits). */
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** `length` unguessable characters of the Kubernetes suffix alphabet; unbiased. */
export function randomName(length: number, random: (size: number) => Uint8Array = randomBytes): string {
  let out = '';
  while (out.length < length) {
    for (const byte of random(length * 2)) {
      // 243 = 9 × 27: bytes above it would favour the first letters.
      if (byte < 243 && out.length < length) out += nameAlphabet[byte % 27];
    }
  }
  return out;
}

/** A generated name: the prefix and five random characters, as Kubernetes' generateName. */
export function generateName(prefix: string): string {
  return prefix + randomName(5);
}
