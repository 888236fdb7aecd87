/**
 * When tokens were last used: noted in memory on every request, written at most once a minute per token, in the background,
 * a bounded number at a time. What is lost in a crash is a minute of it.
 */
import type { Token } from '@drover/api';
import { ignoreNotFound, isConflict, isUnavailable, type Log, sleep } from '@drover/base';
import { type AuthDeps, nowOf } from './deps.ts';
import { storedLastSeen } from './token-life.ts';

export interface TokenUseOptions {
  /** How often what was noted is looked through, in ms. */
  readonly everyMs?: number;
  /** The least time between two writes of one token, in ms. */
  readonly writeEveryMs?: number;
  readonly maxTokens?: number;
  readonly maxWrites?: number;
}

export class TokenUse {
  readonly #seen = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #deps: AuthDeps;
  readonly #options: Required<TokenUseOptions>;

  constructor(deps: AuthDeps, options: TokenUseOptions = {}) {
    this.#deps = deps;
    this.#options = { everyMs: 5000, writeEveryMs: 60_000, maxTokens: 50_000, maxWrites: 100, ...options };
  }

  /** How many tokens it knows of. */
  get size(): number {
    return this.#seen.size;
  }

  /** Notes a use; nothing else happens on the request's way. */
  note(name: string, now: number): void {
    this.#seen.set(name, now);
    this.#dirty.add(name);
    if (this.#seen.size > this.#options.maxTokens) this.#forgetOldest();
  }

  /** When the token was last used as far as this server knows, in ms of wall time. */
  lastSeen(token: Token): number {
    return Math.max(storedLastSeen(token), this.#seen.get(token.metadata.name) ?? 0);
  }

  /** Writes what is due, until the signal aborts; then once more, so that an orderly stop loses nothing. */
  async run(signal: AbortSignal, log: Log): Promise<void> {
    const flush = () => this.flush().catch(error => log.warn({ err: error }, 'noting the use of tokens failed'));
    while (!signal.aborted) {
      await sleep(this.#options.everyMs, signal).catch(() => undefined);
      await flush();
    }
  }

  /** One round: writes the tokens whose stored time is too old, at most `maxWrites` of them. */
  async flush(): Promise<void> {
    const due: string[] = [];
    for (const name of this.#dirty) {
      const token = this.#deps.caches.token.get(name);
      if (!token) this.#forget(name);
      else if (this.#isDue(token)) due.push(name);
      if (due.length >= this.#options.maxWrites) break;
    }
    for (const name of due) await this.#write(name);
  }

  #isDue(token: Token): boolean {
    const stored = Date.parse(token.lastUsedAt ?? '') || 0;
    // A clock set back must not stop the writing until it has caught up.
    return Math.abs((this.#seen.get(token.metadata.name) ?? 0) - stored) >= this.#options.writeEveryMs;
  }

  async #write(name: string): Promise<void> {
    const seen = this.#seen.get(name) ?? nowOf(this.#deps);
    const time = `${new Date(seen).toISOString().slice(0, 19)}Z`;
    this.#dirty.delete(name);
    try {
      await ignoreNotFound(
        this.#deps.resources.modify('token', { name }, token =>
          token.metadata.deletionTimestamp || !this.#isDue(token)
            ? undefined
            : { ...token, lastUsedAt: time, activityLastSeenAt: time },
        ),
      );
    } catch (error) {
      // Noted again with the next use; only what is not a passing state of the store is worth a word.
      if (!isConflict(error) && !isUnavailable(error)) throw error;
      this.#dirty.add(name);
    }
  }

  #forget(name: string): void {
    this.#seen.delete(name);
    this.#dirty.delete(name);
  }

  #forgetOldest(): void {
    const oldest = this.#seen.keys().next().value;
    if (oldest !== undefined) this.#forget(oldest);
  }
}
