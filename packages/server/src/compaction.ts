/**
 * Compaction: forgets, every few minutes, what was overwritten before the last look. A client that was away for less than
 * that goes on from where it was; a longer one lists anew.
 */
import { type Log, messageOf, sleep } from '@drover/base';
import type { Store } from '@drover/store';

export interface CompactionOptions {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How long overwritten values are kept at least, in ms. */
  readonly keepMs?: number;
}

/** Runs until the signal aborts. Several servers on one store may all do it: compacting twice changes nothing. */
export async function runCompaction(
  store: Store,
  { log, signal, keepMs = 10 * 60_000 }: CompactionOptions,
): Promise<void> {
  let before: number | undefined;
  while (!signal.aborted) {
    try {
      const now = await store.revision();
      if (before !== undefined && before > 0) await store.compact(before);
      before = now;
    } catch (error) {
      if (!signal.aborted)
        log.warn({ reason: messageOf(error) }, 'the store could not be compacted; trying again later');
    }
    await sleep(keepMs, signal).catch(() => undefined);
  }
}
