/**
 * When to ping and when to call the far end dead. Any frame counts as a sign of life, not only pongs.
 * Surprise: a pause of our own process (SIGSTOP, a long collection) is not held against the far end.
 */
export interface HeartbeatOptions {
  readonly pingEveryMs: number;
  readonly silentAfterMs: number;
  /** Ping only when nothing was heard for pingEveryMs: for a client whose server does the pinging. */
  readonly onlyWhenQuiet?: boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #now: () => number;
  #heardAt: number;
  #tickedAt: number;
  #pingedAt: number | undefined;
  #lastPingAt: number;
  rttMs: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#heardAt = this.#tickedAt = this.#now();
    this.#lastPingAt = Number.NEGATIVE_INFINITY;
  }

  /** How often tick() wants to be called, in milliseconds. */
  get everyMs(): number {
    return Math.max(10, Math.min(this.#options.pingEveryMs, this.#options.silentAfterMs) / 8);
  }

  get silentMs(): number {
    return this.#now() - this.#heardAt;
  }

  heard(): void {
    this.#heardAt = this.#now();
  }

  /** A ping goes out; of several at once the first counts. */
  pinged(): void {
    this.#pingedAt ??= this.#now();
  }

  /** True once after a ping stayed unanswered for as long as silence may last, though other things were heard. */
  unanswered(): boolean {
    if (this.#pingedAt === undefined || this.#now() - this.#pingedAt < this.#options.silentAfterMs) return false;
    this.#pingedAt = undefined;
    return true;
  }

  /** A pong also tells the round trip time of the ping before it. */
  ponged(): void {
    this.heard();
    if (this.#pingedAt === undefined) return;
    const took = this.#now() - this.#pingedAt;
    this.rttMs = this.rttMs === undefined ? took : this.rttMs * 0.7 + took * 0.3;
    this.#pingedAt = undefined;
  }

  tick(): 'ping' | 'dead' | undefined {
    const { pingEveryMs, silentAfterMs, onlyWhenQuiet } = this.#options;
    const now = this.#now();
    const stalledMs = now - this.#tickedAt - this.everyMs;
    this.#tickedAt = now;
    // What arrived while this process stood still has not been read yet.
    if (stalledMs > this.everyMs) this.#heardAt = Math.min(now, this.#heardAt + stalledMs);
    if (now - this.#heardAt >= silentAfterMs) return 'dead';
    const quietSince = onlyWhenQuiet ? Math.max(this.#heardAt, this.#lastPingAt) : this.#lastPingAt;
    if (now - quietSince < pingEveryMs) return undefined;
    this.#lastPingAt = now;
    return 'ping';
  }
}
