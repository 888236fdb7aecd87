/**
 * Masking of what a websocket client sends (RFC 6455 5.3). Uses the native bufferutil where it is installed; it has
 * no build for every platform, so there is a plain loop beside it.
 */
import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';

type NativeMask = (source: Buffer, key: Buffer, output: Buffer, offset: number, length: number) => void;

const nativeMask = loadNative();
const pool = Buffer.alloc(4096);
let poolAt = pool.length;

function loadNative(): NativeMask | undefined {
  try {
    return (createRequire(import.meta.url)('bufferutil') as { mask: NativeMask }).mask;
  } catch {
    return undefined;
  }
}

/** Writes a fresh unpredictable key of four bytes. */
export function writeMaskKey(target: Buffer, offset: number): void {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  for (let index = 0; index < 4; index++) target[offset + index] = pool[poolAt++]!;
}

/** Masks target[start..end) in place with the key that stands at keyAt. */
export function applyMask(target: Buffer, range: { keyAt: number; start: number; end: number }): void {
  const { keyAt, start, end } = range;
  if (nativeMask && end - start >= 64) {
    const body = target.subarray(start, end);
    nativeMask(body, target.subarray(keyAt, keyAt + 4), body, 0, body.length);
    return;
  }
  for (let index = start; index < end; index++) target[index]! ^= target[keyAt + ((index - start) & 3)]!;
}
