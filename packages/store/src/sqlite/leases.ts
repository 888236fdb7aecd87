/**
 * The leases of one process's store. They end with the process, so only the keys bound to them are kept on disk; their time is
 * monotonic and judged at every write, so that a process that was frozen finds them ended before its next write counts.
 */
import { randomUUID } from 'node:crypto';
import { leaseEnded } from '../held-lease.ts';

export class LeaseTable {
  readonly #endsAt = new Map<string, { at: number; ttlMs: number }>();
  readonly #ending = new Set<string>();

  grant(ttlMs: number): string {
    const id = randomUUID();
    this.#endsAt.set(id, { at: performance.now() + ttlMs, ttlMs });
    return id;
  }

  /** Throws Conflict once the lease has ended. */
  renew(id: string): void {
    this.check(id);
    const lease = this.#endsAt.get(id)!;
    lease.at = performance.now() + lease.ttlMs;
  }

  check(id: string): void {
    const lease = this.#endsAt.get(id);
    if (!lease || this.#ending.has(id) || lease.at <= performance.now()) throw leaseEnded(id);
  }

  /** Ends now: its keys go with the next write. */
  revoke(id: string): void {
    const lease = this.#endsAt.get(id);
    if (lease) lease.at = 0;
  }

  /** Leases whose keys must go before anything else is written; called again after a roll-back it names them again. */
  takeEnded(): string[] {
    const now = performance.now();
    const ended = [...this.#endsAt].filter(([id, { at }]) => at <= now && !this.#ending.has(id)).map(([id]) => id);
    for (const id of ended) this.#ending.add(id);
    return ended;
  }

  committed(): void {
    for (const id of this.#ending) this.#endsAt.delete(id);
    this.#ending.clear();
  }

  rolledBack(): void {
    this.#ending.clear();
  }

  /** Milliseconds until the next one ends; undefined without any. */
  nextEndMs(): number | undefined {
    if (this.#endsAt.size === 0) return undefined;
    return Math.max(0, Math.min(...[...this.#endsAt.values()].map(({ at }) => at)) - performance.now());
  }
}
