/**
 * The holder's side of a lease, the same for every driver: renews it at a third of its time and calls it lost, by its own
 * monotonic clock, a tenth of its time before the store would end it.
 */
import { conflict, sleep } from '@drover/base';
import type { Compare, Lease } from './store.ts';

export interface LeaseGrant {
  readonly id: string;
  readonly claim: Compare;
  /** How long the store keeps it after each renewal, at the least. */
  readonly ttlMs: number;
  /** Monotonic time before the grant was asked for. */
  readonly askedAt: number;
  /** Aborts as the store is closed: nobody renews it then. */
  readonly closed: AbortSignal;
  /** Throws Conflict once the store has ended the lease; any other error is tried again. */
  renew(signal: AbortSignal): Promise<void>;
  revoke(): Promise<void>;
}

/** Put it among the compares of a `txn`: the store then refuses what is written after the lease ended. */
export function leaseCompare(lease: Lease): Compare {
  return lease.claim;
}

export class HeldLease implements Lease {
  readonly id: string;
  readonly claim: Compare;
  readonly lost: AbortSignal;
  readonly #grant: LeaseGrant;
  readonly #lost = new AbortController();
  readonly #done = new AbortController();
  readonly #renewing: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #goodUntil = 0;

  constructor(grant: LeaseGrant) {
    this.#grant = grant;
    this.id = grant.id;
    this.claim = grant.claim;
    this.lost = this.#lost.signal;
    this.#renewed(grant.askedAt);
    const lose = () => this.#lose();
    grant.closed.addEventListener('abort', lose, { once: true });
    this.lost.addEventListener('abort', () => grant.closed.removeEventListener('abort', lose), { once: true });
    this.#renewing = this.#keepAlive();
  }

  async #keepAlive(): Promise<void> {
    const { ttlMs } = this.#grant;
    const stop = AbortSignal.any([this.#done.signal, this.#lost.signal]);
    let pauseMs = ttlMs / 3;
    while (!stop.aborted) {
      try {
        await sleep(pauseMs, stop);
        const askedAt = performance.now();
        if (askedAt >= this.#goodUntil) return this.#lose();
        await this.#grant.renew(stop);
        this.#renewed(askedAt);
        pauseMs = ttlMs / 3;
      } catch (error) {
        if (stop.aborted) return;
        if (isEnded(error)) return this.#lose();
        pauseMs = ttlMs / 20;
      }
    }
  }

  #renewed(askedAt: number): void {
    this.#goodUntil = askedAt + this.#grant.ttlMs * 0.9;
    clearTimeout(this.#timer);
    if (this.#done.signal.aborted) return;
    this.#timer = setTimeout(() => this.#lose(), this.#goodUntil - performance.now()).unref();
  }

  #lose(): void {
    clearTimeout(this.#timer);
    this.#lost.abort(conflict('lease', this.id, 'its time ended before it could be renewed'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#done.signal.aborted) return;
    this.#done.abort();
    clearTimeout(this.#timer);
    await this.#renewing;
    this.#lost.abort(conflict('lease', this.id, 'it was given back'));
    await this.#grant.revoke();
  }
}

const ended = new WeakSet<Error>();

/** What a driver throws when the store no longer knows the lease. */
export function leaseEnded(id: string): Error {
  const error = conflict('lease', id, 'it has ended');
  ended.add(error);
  return error;
}

function isEnded(error: unknown): boolean {
  return error instanceof Error && ended.has(error);
}
