/**
 * What may be a key and a value, on every driver alike, so that data moves between them. Keys that begin with `~` are the
 * store's own (leases, epoch, heartbeat): `list` and `watch` pass over them unless the prefix begins with `~` too.
 */
import { invalid, tooLarge } from '@drover/base';
import type { Compare, Op } from './store.ts';

export const maxKeyBytes = 1024;
/** Below etcd's request limit of 1.5 MiB with room for the key and the frame around it. */
export const maxValueBytes = 1_400_000;
/** etcd's own default (--max-txn-ops). */
export const maxTxnOps = 128;

/** Half-open range of keys in byte order; `end` absent means no upper bound. */
export interface KeyRange {
  readonly start: string;
  readonly end: string | undefined;
}

/** Throws Invalid unless the key can be kept: printable ASCII first, well-formed, no NUL, at most 1,024 bytes. */
export function checkKey(key: string): void {
  if (!/^[!-~]/.test(key)) throw invalid('key', 'must begin with a printable ASCII character');
  if (key.includes('\0') || !key.isWellFormed()) throw invalid('key', 'must be well-formed text without NUL');
  if (Buffer.byteLength(key) > maxKeyBytes) throw invalid('key', `must be at most ${maxKeyBytes} bytes`);
}

export function checkValue(key: string, value: string): void {
  if (value.includes('\0') || !value.isWellFormed())
    throw invalid('value', `of ${key} must be well-formed text without NUL`);
  if (value.length * 3 > maxValueBytes && Buffer.byteLength(value) > maxValueBytes)
    throw tooLarge(`the value of ${key} has ${Buffer.byteLength(value)} bytes; at most ${maxValueBytes} can be kept`);
}

/** Throws Invalid for a transaction that not every driver could take. */
export function checkTxn(compares: readonly Compare[], ops: readonly Op[]): void {
  if (compares.length > maxTxnOps) throw invalid('compares', `must be at most ${maxTxnOps}, not ${compares.length}`);
  if (ops.length > maxTxnOps) throw invalid('ops', `must be at most ${maxTxnOps}, not ${ops.length}`);
  for (const compare of compares) {
    checkKey(compare.key);
    checkRevision('compares', compare.revision);
  }
  let bytes = 0;
  const seen = new Set<string>();
  for (const op of ops) {
    checkKey(op.key);
    if (seen.has(op.key)) throw invalid('ops', `must name each key once; ${op.key} is there twice`);
    seen.add(op.key);
    if (op.type !== 'put') continue;
    checkValue(op.key, op.value);
    bytes += Buffer.byteLength(op.value);
  }
  if (bytes > maxValueBytes)
    throw tooLarge(`the transaction has ${bytes} bytes; at most ${maxValueBytes} can be kept at once`);
}

/** Throws Invalid unless it is a whole number of 0 or more. */
export function checkRevision(field: string, revision: number): void {
  if (!Number.isSafeInteger(revision) || revision < 0)
    throw invalid(field, `must be a revision, a whole number of 0 or more, not ${revision}`);
}

/** The keys that `list` and `watch` show for a prefix. */
export function rangeOf(prefix: string): KeyRange {
  if (prefix === '') return { start: '', end: '~' };
  checkKey(prefix);
  return { start: prefix, end: afterPrefix(prefix) };
}

/**
 * The least text above all that begin with the prefix. Byte order of UTF-8 is code point order, so the last code point that can
 * grow is raised; surrogates are stepped over.
 */
function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix];
  while (points.length > 0) {
    const last = points.pop()!.codePointAt(0)!;
    if (last === 0x10ffff) continue;
    const next = last + 1 === 0xd800 ? 0xe000 : last + 1;
    return points.join('') + String.fromCodePoint(next);
  }
  return undefined;
}

/** Whether `list(prefix)` or `watch(prefix)` shows the key. */
export function isUnder(prefix: string, key: string): boolean {
  return prefix === '' ? !key.startsWith('~') : key.startsWith(prefix);
}
