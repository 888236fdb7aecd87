/**
 * The store's epoch: revisions are comparable within one only. It is kept in the store itself under a key of its own, so a new
 * one is a write like any other, and every process that has the store open sees it.
 */
import { internal } from '@drover/base';
import type { Entry, Store } from './store.ts';

export const epochKey = '~epoch';

const minuteMs = 60_000;
const start = Date.UTC(2026, 0, 1);

/**
 * A number above all the given ones. The clock only makes it unlikely that two restores of one backup get the same; that it
 * grows does not depend on it. In minutes, so that it fits the 23 bits which a resourceVersion has above the revision.
 */
export function nextEpoch(...known: readonly number[]): number {
  const minutes = Math.floor((Date.now() - start) / minuteMs);
  return Math.max(1, minutes, ...known.map(epoch => epoch + 1));
}

export function formatEpoch(epoch: number): string {
  return JSON.stringify({ epoch });
}

/** Throws InternalError when the entry does not hold an epoch. */
export function parseEpoch(entry: Pick<Entry, 'value'>): number {
  const { epoch } = JSON.parse(entry.value) as { epoch?: unknown };
  if (!Number.isSafeInteger(epoch)) throw internal(`the store's ${epochKey} is not readable: ${entry.value}`);
  return epoch as number;
}

/**
 * Begins a new epoch: after a restore, every revision, `continue` and open watch of before is answered with Expired.
 * `above` names epochs that it must be greater than, e.g. the one that ran before the restore.
 */
export async function newEpoch(store: Store, ...above: readonly number[]): Promise<number> {
  const epoch = nextEpoch(store.epoch, ...above);
  await store.txn([], [{ type: 'put', key: epochKey, value: formatEpoch(epoch) }]);
  return epoch;
}
