/** Work that follows one cluster over one connection, round after round, while the cluster is owned. */
import { anySignal, isUnavailable, type Log, messageOf, sleep } from '@drover/base';
import type { Upstreams } from '../clusters/upstream.ts';

export interface Rounds {
  readonly upstreams: Upstreams;
  readonly clusterId: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What the log says when a round fails. */
  readonly failure: string;
  /** One round; ends with its signal: a way that changed, or an agent that went, and the next begins with the way as it is then. */
  round(signal: AbortSignal): Promise<void>;
}

/** Runs until the signal aborts. */
export async function runRounds({ upstreams, clusterId, log, signal, failure, round }: Rounds): Promise<void> {
  while (!signal.aborted) {
    const over = new AbortController();
    const both = anySignal(signal, over.signal);
    upstreams.subscribe(() => over.abort(new Error('the way changed')), both, clusterId);
    try {
      await round(both);
    } catch (error) {
      if (signal.aborted) break;
      if (!both.aborted && !isUnavailable(error)) log.warn({ cluster: clusterId, reason: messageOf(error) }, failure);
      // One that is away is told of when it comes; to ask for it would cost, with thousands of them.
      if (!both.aborted) await sleep(isUnavailable(error) ? 60_000 : 5000, both).catch(() => undefined);
    } finally {
      over.abort(new Error('the round is over'));
    }
  }
}
