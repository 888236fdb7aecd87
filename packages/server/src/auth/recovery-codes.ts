/** Recovery codes: each stands in once for a second factor that is gone. They are shown when they are made; only hashes are kept. */
import { randomInt } from 'node:crypto';
import { hashKey, matchesKey } from '@drover/base';

const count = 10;
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';

/** New ones, with their hashes as they are kept. */
export function makeRecoveryCodes(): { readonly codes: readonly string[]; readonly hashes: string } {
  const codes = Array.from({ length: count }, makeCode);
  return { codes, hashes: JSON.stringify(codes.map(one => hashKey(plain(one)))) };
}

export const recoveryHashes = (kept: string | undefined): readonly string[] => JSON.parse(kept ?? '[]') as string[];

/** The hash that is of this code; undefined where none is. */
export async function matchingHash(hashes: readonly string[], code: string): Promise<string | undefined> {
  let found: string | undefined;
  // All of them, always: how long it takes tells nothing.
  for (const hash of hashes) if (await matchesKey(hash, plain(code))) found = hash;
  return found;
}

/** Ninety-five bits, in groups that can be read out. */
function makeCode(): string {
  const text = Array.from({ length: 19 }, () => letters[randomInt(letters.length)]).join('');
  return text.replace(/(.{5})(?=.)/g, '$1-');
}

const plain = (code: string): string => code.toLowerCase().replace(/[\s-]/g, '');
