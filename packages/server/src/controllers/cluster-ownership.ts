/**
 * cluster-ownership: the work for one cluster is done by one replica, the one that holds the cluster's key in the store
 * under its lease. A replica that dies loses the lease, and another takes over within its time to live.
 */
import { anySignal, backoffMs, conflict, isConflict, isExpired, type Log, messageOf, sleep } from '@drover/base';
import type { Compare, Lease, Store } from '@drover/store';

const defaultLeaseMs = 10_000;
const prefix = '/owners/clusters/';
/** Claims of one transaction; the store takes 128 operations at most. */
const atOnce = 100;

export interface Ownership {
  /** Whether this replica does the work for the cluster now. */
  owns(clusterId: string): boolean;
  /** What a write of that work compares, so that it fails once another replica may do it. Throws Conflict where it is not ours. */
  claim(clusterId: string): readonly Compare[];
  /** Looks for what can be claimed now, instead of within the next two seconds. */
  look(): void;
}

export interface OwnershipOptions {
  readonly store: Store;
  readonly replica: string;
  readonly wanted: () => Iterable<string>;
  /** Called with a signal that aborts when the claim ends. */
  readonly gained: (clusterId: string, signal: AbortSignal) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly everyMs?: number;
  readonly leaseMs?: number;
}

/** Claims every cluster that `wanted` names and nobody else holds, for as long as the signal lasts. */
export function startOwnership(options: OwnershipOptions): Ownership {
  const owner = new Owner(options);
  void owner.run();
  return owner;
}

class Owner implements Ownership {
  readonly #options: OwnershipOptions;
  readonly #held = new Map<string, { readonly work: AbortController; readonly revision: number }>();
  /** Claimed by any replica, ours too, as the store last told. */
  readonly #taken = new Set<string>();
  #wake: () => void = () => undefined;

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  owns(clusterId: string): boolean {
    return this.#held.has(clusterId);
  }

  claim(clusterId: string): readonly Compare[] {
    const mine = this.#held.get(clusterId);
    if (!mine) throw conflict('cluster', clusterId, 'its work is another replica’s now');
    return [{ key: prefix + clusterId, revision: mine.revision }];
  }

  look(): void {
    this.#wake();
  }

  async run(): Promise<void> {
    const { signal, log } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#hold(() => {
          failures = 0;
        });
      } catch (error) {
        if (signal.aborted) break;
        log.warn({ reason: messageOf(error) }, 'clusters can not be claimed now');
        await sleep(backoffMs(failures++, { minMs: 200, maxMs: 5000 }), signal).catch(() => undefined);
      }
    }
  }

  /** Claims under one lease until it is lost, or the store can't be followed. */
  async #hold(claimed: () => void): Promise<void> {
    const { store, signal, wanted, everyMs = 2000, leaseMs = defaultLeaseMs } = this.#options;
    await using lease = await store.lease(leaseMs);
    const round = new AbortController();
    const ended = anySignal(lease.lost, round.signal, signal);
    // Before anybody else can hold them, whoever works on them here is told to stop.
    const dropAll = () => {
      for (const clusterId of [...this.#held.keys()]) this.#drop(clusterId);
    };
    lease.lost.addEventListener('abort', dropAll, { once: true });
    const following = this.#follow(await this.#readTaken(), ended).catch((error: unknown) => {
      round.abort(error);
    });
    try {
      while (!ended.aborted) {
        const woken = new Promise<void>(resolve => {
          this.#wake = resolve;
        });
        await this.#claimFree(lease, new Set(wanted()));
        claimed();
        const rest = new AbortController();
        await Promise.race([woken, sleep(everyMs, anySignal(ended, rest.signal)).catch(() => undefined)]);
        rest.abort();
      }
      if (round.signal.aborted && !isExpired(round.signal.reason)) throw round.signal.reason;
    } finally {
      round.abort(new Error('the round is over'));
      dropAll();
      await following;
    }
  }

  async #claimFree(lease: Lease, all: ReadonlySet<string>): Promise<void> {
    for (const clusterId of [...this.#held.keys()]) if (!all.has(clusterId)) await this.#release(clusterId);
    const free = [...all].filter(clusterId => !this.#taken.has(clusterId));
    for (let at = 0; at < free.length; at += atOnce) await this.#claim(free.slice(at, at + atOnce), lease);
  }

  /** All of them, or, when another replica was faster with one, each that can still be had. */
  async #claim(clusterIds: readonly string[], lease: Lease): Promise<void> {
    const { store, replica, signal, gained } = this.#options;
    const value = JSON.stringify({ replica });
    let revision: number;
    try {
      revision = await store.txn(
        [lease.claim, ...clusterIds.map(id => ({ key: prefix + id, revision: 0 }))],
        clusterIds.map(id => ({ type: 'put', key: prefix + id, value, lease }) as const),
      );
    } catch (error) {
      if (!isConflict(error) || lease.lost.aborted) throw error;
      if (clusterIds.length > 1) for (const id of clusterIds) await this.#claim([id], lease);
      return;
    }
    for (const clusterId of clusterIds) {
      if (lease.lost.aborted) return;
      const work = new AbortController();
      this.#held.set(clusterId, { work, revision });
      this.#taken.add(clusterId);
      gained(clusterId, anySignal(work.signal, signal));
    }
  }

  async #release(clusterId: string): Promise<void> {
    this.#drop(clusterId);
    await this.#options.store.txn([], [{ type: 'delete', key: prefix + clusterId }]);
  }

  #drop(clusterId: string): void {
    const mine = this.#held.get(clusterId);
    this.#held.delete(clusterId);
    mine?.work.abort(new Error('the cluster is no longer ours'));
  }

  async #readTaken(): Promise<number> {
    const page = await this.#options.store.list(prefix);
    this.#taken.clear();
    for (const { key } of page.entries) this.#taken.add(key.slice(prefix.length));
    return page.revision;
  }

  /** Keeps `taken` in step, so that nothing is tried in vain and what gets free is claimed at once. */
  async #follow(after: number, signal: AbortSignal): Promise<void> {
    for await (const event of this.#options.store.watch(prefix, { after, signal })) {
      if (event.type === 'put') this.#taken.add(event.entry.key.slice(prefix.length));
      if (event.type !== 'delete') continue;
      const clusterId = event.key.slice(prefix.length);
      // The end of a claim before ours may be told after ours was made.
      if (event.revision < (this.#held.get(clusterId)?.revision ?? 0)) continue;
      this.#taken.delete(clusterId);
      // Somebody took it from us by hand: it is claimed anew like any other that is free.
      this.#drop(clusterId);
      this.look();
    }
  }
}
