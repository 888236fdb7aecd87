/**
 * cluster-ownership: the work for one cluster is done by one replica, the one that holds the cluster's key in the store
 * under its lease. A replica that dies loses the lease, and another takes over within its time to live.
 */
import { aborted, anySignal, hasReason, type Log, messageOf, sleep } from '@drover/base';
import type { Lease, Store } from '@drover/store';

const leaseMs = 10_000;
const prefix = '/owners/clusters/';

export interface Ownership {
  /** Whether this replica does the work for the cluster now. */
  owns(clusterId: string): boolean;
}

/**
 * Claims every cluster that `wanted` names and nobody else holds, for as long as the signal lasts. `gained` is called
 * with a signal that aborts when the claim ends.
 */
export function startOwnership(options: {
  readonly store: Store;
  readonly replica: string;
  readonly wanted: () => Iterable<string>;
  readonly gained: (clusterId: string, signal: AbortSignal) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly everyMs?: number;
}): Ownership {
  const { store, replica, wanted, gained, log, signal, everyMs = 2000 } = options;
  const held = new Map<string, AbortController>();

  const drop = (clusterId: string) => {
    held.get(clusterId)?.abort(new Error('the cluster is no longer ours'));
    held.delete(clusterId);
  };

  async function claim(clusterId: string, lease: Lease): Promise<void> {
    try {
      await store.create(`${prefix}${clusterId}`, JSON.stringify({ replica }), { lease });
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) return;
      throw error;
    }
    const mine = new AbortController();
    held.set(clusterId, mine);
    gained(clusterId, anySignal(mine.signal, lease.lost, signal));
  }

  async function hold(): Promise<void> {
    await using lease = await store.lease(leaseMs);
    const ended = anySignal(lease.lost, signal);
    while (!ended.aborted) {
      const all = new Set(wanted());
      for (const clusterId of [...held.keys()]) if (!all.has(clusterId)) drop(clusterId);
      for (const clusterId of all) if (!held.has(clusterId)) await claim(clusterId, lease);
      await sleep(everyMs, ended).catch(() => undefined);
    }
    for (const clusterId of [...held.keys()]) drop(clusterId);
  }

  void (async () => {
    while (!signal.aborted) {
      await hold().catch(async error => {
        for (const clusterId of [...held.keys()]) drop(clusterId);
        if (!signal.aborted) log.warn({ reason: messageOf(error) }, 'clusters can not be claimed now');
        await Promise.race([sleep(1000, signal), aborted(signal)]).catch(() => undefined);
      });
    }
  })();

  return { owns: clusterId => held.has(clusterId) };
}
