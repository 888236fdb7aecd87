/**
 * Secret fields at rest: AES-256-GCM for each value, as text `enc:v1:<key id>:<iv>:<ciphertext and tag>`. Store key and field path are
 * bound in, so a ciphertext that is moved to another object or field does not open there.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { internal, isConflict, isNotFound } from '@drover/base';
import type { Keyring } from './keyring.ts';
import type { Store } from './store.ts';

/** Where a secret lives: the store key, and the path of the field in the object, joined with dots. */
export interface Place {
  readonly key: string;
  readonly field: string;
}

const tagBytes = 16;
const ivBytes = 12;
const form = /^enc:v1:([0-9a-z]{1,32}):([A-Za-z0-9_-]{16}):([A-Za-z0-9_-]{22,})$/;

export function isSealed(text: string): boolean {
  return form.test(text);
}

/** The id of the key that the text was encrypted with; undefined for text that is not a ciphertext. */
export function keyIdOf(text: string): string | undefined {
  return form.exec(text)?.[1];
}

export class FieldCipher {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;
  readonly #random: (size: number) => Buffer;

  constructor(keyring: Keyring, random: (size: number) => Buffer = randomBytes) {
    this.#keys = new Map(keyring.map(({ id, key }) => [id, Buffer.from(key.reveal(), 'base64')]));
    this.#current = keyring[0].id;
    this.#random = random;
  }

  encrypt(secret: string, place: Place): string {
    const iv = this.#random(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.#current)!, iv);
    cipher.setAAD(boundTo(place));
    const data = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `enc:v1:${this.#current}:${iv.toString('base64url')}:${data.toString('base64url')}`;
  }

  /** Throws InternalError that names the place (never the value) when the text does not open there. */
  decrypt(text: string, place: Place): string {
    const match = form.exec(text);
    if (!match) throw internal(`the secret ${place.field} of ${place.key} is not encrypted as it should be`);
    const [, id, iv, data] = match;
    const key = this.#keys.get(id!);
    if (!key)
      throw internal(`the secret ${place.field} of ${place.key} needs the key "${id}", which is not in the key file`);
    const bytes = Buffer.from(data!, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv!, 'base64url'), { authTagLength: tagBytes });
    decipher.setAAD(boundTo(place));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]).toString('utf8');
    } catch {
      throw internal(`the secret ${place.field} of ${place.key} was altered or moved from another place`);
    }
  }

  /** The same secret under the current key; undefined when it is under that one already, or does not open here. */
  rotate(text: string, place: Place): string | undefined {
    const id = keyIdOf(text);
    if (id === undefined || id === this.#current || !this.#keys.has(id)) return undefined;
    let secret: string;
    try {
      secret = this.decrypt(text, place);
    } catch {
      // Text of a user's that only looks like a ciphertext.
      return undefined;
    }
    return this.encrypt(secret, place);
  }
}

/**
 * Re-encrypts every secret in the store under the current key and answers how many entries were rewritten. Safe beside running
 * servers that know both keys; safe to run again. The old key may be taken out of the file once this has ended everywhere.
 */
export async function rotateSecrets(store: Store, cipher: FieldCipher): Promise<number> {
  let rewritten = 0;
  let token: string | undefined;
  do {
    const page = await store.list('', { limit: 200, ...(token ? { continue: token } : {}) });
    for (const { key } of page.entries) if (await rotateEntry(store, cipher, key)) rewritten += 1;
    token = page.continue;
  } while (token);
  return rewritten;
}

async function rotateEntry(store: Store, cipher: FieldCipher, key: string): Promise<boolean> {
  for (;;) {
    const entry = await store.get(key);
    if (!entry?.value.includes('"enc:v1:')) return false;
    const value = JSON.stringify(
      mapText(JSON.parse(entry.value), '', (text, field) => cipher.rotate(text, { key, field }) ?? text),
    );
    if (value === JSON.stringify(JSON.parse(entry.value))) return false;
    try {
      await store.update(key, value, entry.revision);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (!isConflict(error)) throw error;
    }
  }
}

function mapText(value: unknown, path: string, change: (text: string, field: string) => string): unknown {
  if (typeof value === 'string') return change(value, path);
  if (typeof value !== 'object' || value === null) return value;
  const inside = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
  if (Array.isArray(value)) return value.map((item, at) => mapText(item, inside(at), change));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapText(item, inside(name), change)]));
}

/** Lengths before the parts, so that no two places give the same bytes. */
function boundTo({ key, field }: Place): Buffer {
  return Buffer.from(`${key.length}:${key}${field.length}:${field}`);
}
