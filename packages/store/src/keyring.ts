/**
 * The keys that secret fields are encrypted with: a file of `id:base64` lines, the first of which encrypts while all decrypt.
 * It is never part of a backup, and the store knows which one it was written with, so a process with another one does not start.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { invalid, isAlreadyExists, isConflict, Secret } from '@drover/base';
import { FieldCipher, isSealed, keyIdOf } from './encryption.ts';
import type { Store } from './store.ts';

export interface SecretsKey {
  readonly id: string;
  /** 32 bytes in base64. */
  readonly key: Secret;
}

/** At least one key; the first is the current one. */
export type Keyring = readonly [SecretsKey, ...SecretsKey[]];

const checkPlace = { key: '~keyring', field: 'check' } as const;

export function newSecretsKey(random: (size: number) => Buffer = randomBytes): SecretsKey {
  return { id: random(4).toString('hex'), key: new Secret(random(32).toString('base64')) };
}

/** Reads the key file, making one with a new key (mode 0600) where there is none. Throws Invalid that names file and line. */
export function openKeyring(path: string, random?: (size: number) => Buffer): Keyring {
  try {
    writeFileSync(path, formatKeyring([newSecretsKey(random)]), { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw invalid(path, `can not be written: ${(error as Error).message}`);
  }
  if ((statSync(path).mode & 0o077) !== 0)
    throw invalid(path, 'must be readable by its owner alone (chmod 600): it holds the keys to every secret');
  return parseKeyring(readFileSync(path, 'utf8'), path);
}

export function parseKeyring(text: string, path: string): Keyring {
  const keys: SecretsKey[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([0-9a-z]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(line.trim());
    if (!match) throw invalid(path, `line ${at + 1} must be a key id, a colon and 32 bytes in base64`);
    if (keys.some(key => key.id === match[1]))
      throw invalid(path, `line ${at + 1} must not repeat the key id ${match[1]}`);
    keys.push({ id: match[1]!, key: new Secret(match[2]!) });
  }
  const [first, ...rest] = keys;
  if (!first) throw invalid(path, 'must hold at least one key: a key id, a colon and 32 bytes in base64');
  return [first, ...rest];
}

export function formatKeyring(keyring: Keyring): string {
  return `${keyring.map(({ id, key }) => `${id}:${key.reveal()}`).join('\n')}\n`;
}

/**
 * Makes sure that the store's secrets were written with keys of this ring, and notes the current key in a store that has none
 * noted. Throws Invalid when it is another ring.
 */
export async function checkKeyring(store: Store, keyring: Keyring): Promise<void> {
  const cipher = new FieldCipher(keyring);
  for (;;) {
    const entry = await store.get(checkPlace.key);
    const sealed = entry && (JSON.parse(entry.value) as { check?: unknown }).check;
    if (entry && (typeof sealed !== 'string' || !isSealed(sealed) || !opens(cipher, sealed))) {
      const id = typeof sealed === 'string' ? keyIdOf(sealed) : undefined;
      throw invalid(
        '--secrets-key-file',
        `must hold the key ${id ? `"${id}" ` : ''}that this store's secrets were written with; put back the file that was used with it`,
      );
    }
    const value = JSON.stringify({ check: cipher.encrypt('drover', checkPlace) });
    try {
      if (!entry) await store.create(checkPlace.key, value);
      else if (keyIdOf(sealed as string) !== keyring[0].id) await store.update(entry.key, value, entry.revision);
      return;
    } catch (error) {
      // Another replica was first: see what it noted.
      if (!isAlreadyExists(error) && !isConflict(error)) throw error;
    }
  }
}

function opens(cipher: FieldCipher, sealed: string): boolean {
  try {
    return cipher.decrypt(sealed, checkPlace) === 'drover';
  } catch {
    return false;
  }
}
