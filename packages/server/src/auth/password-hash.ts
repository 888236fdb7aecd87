/**
 * Password hashes as text that says how it was made: `$argon2id$…` is written; bcrypt and PBKDF2-SHA3-512, as other
 * servers of this API wrote them, are read. All hashing runs off the main thread, behind one gate.
 */
import { argon2, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hashing } from './gate.ts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const current = { memoryKiB: 19_456, passes: 2, lanes: 1 };
const saltBytes = 16;
const tagBytes = 32;
const argon2Async = promisify(argon2);
const pbkdf2Async = promisify(pbkdf2);

const argon2Pattern = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const pbkdf2Pattern = /^\$pbkdf2-sha3-512\$i=(\d{1,7})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;
const bcryptPattern = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const tag = await hashing.run(() => argon2id(password, salt, { ...current, length: tagBytes }));
  const { memoryKiB, passes, lanes } = current;
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${raw(salt)}$${raw(tag)}`;
}

/** Whether the password is the hashed one; false for a hash that can't be read. Throws TooManyRequests under load. */
export async function verifyPassword(stored: string, password: string): Promise<boolean> {
  const argon = argon2Pattern.exec(stored);
  if (argon) {
    const [memoryKiB, passes, lanes] = argon.slice(1, 4).map(Number) as [number, number, number];
    // The cost is the stored text's: one far over ours would be an attack from the store.
    if (memoryKiB > 262_144 || passes > 10 || lanes < 1) return false;
    const tag = Buffer.from(argon[5]!, 'base64');
    const cost = { memoryKiB, passes, lanes, length: tag.length };
    return same(tag, await hashing.run(() => argon2id(password, Buffer.from(argon[4]!, 'base64'), cost)));
  }
  const derived = pbkdf2Pattern.exec(stored);
  if (derived) {
    const key = Buffer.from(derived[3]!, 'base64');
    const salt = Buffer.from(derived[2]!, 'base64');
    if (Number(derived[1]) > 2_000_000 || key.length < 16) return false;
    return same(key, await hashing.run(() => pbkdf2Async(password, salt, Number(derived[1]), key.length, 'sha3-512')));
  }
  const bcrypt = bcryptPattern.exec(stored);
  if (bcrypt && Number(bcrypt[1]) <= 14) {
    const { compare } = await import('bcryptjs');
    return hashing.run(() => compare(password, stored));
  }
  return false;
}

/** Whether the text was made in another way than hashPassword makes it now. */
export function needsRehash(stored: string): boolean {
  const match = argon2Pattern.exec(stored);
  const { memoryKiB, passes, lanes } = current;
  return !match || Number(match[1]) !== memoryKiB || Number(match[2]) !== passes || Number(match[3]) !== lanes;
}

interface Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
  readonly length: number;
}

function argon2id(password: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
  return argon2Async('argon2id', {
    message: password,
    nonce,
    parallelism: cost.lanes,
    tagLength: cost.length,
    memory: cost.memoryKiB,
    passes: cost.passes,
  });
}

function same(expected: Buffer, actual: Buffer): boolean {
  return expected.length >= 16 && expected.length === actual.length && timingSafeEqual(expected, actual);
}

function raw(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
