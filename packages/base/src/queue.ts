/**
 * Work queue: keys to be looked at, each by one worker at a time. A key added while it is being worked on is worked on
 * again afterwards; a key added twice is worked on once.
 */
import { aborted } from './abort.ts';
import { type BackoffOptions, backoffMs } from './backoff.ts';

/** What a worker asks for: undefined = done, a number = look again after so many milliseconds. A throw backs off. */
export type Work = (key: string) => Promise<number | undefined>;

export interface QueueOptions {
  readonly workers?: number;
  readonly backoff?: BackoffOptions;
  /** Told of each failure with the number of tries so far; says false to give the key up until it is added again. */
  readonly onError?: (key: string, error: unknown, tries: number) => boolean | undefined;
  readonly signal: AbortSignal;
}

export class WorkQueue {
  readonly #ready: string[] = [];
  /** How many of them are taken: a hundred thousand are not moved up each time that one is. */
  #taken = 0;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #tries = new Map<string, number>();
  readonly #work: Work;
  readonly #options: QueueOptions;
  readonly #settled: (() => void)[] = [];

  constructor(work: Work, options: QueueOptions) {
    this.#work = work;
    this.#options = options;
    void aborted(options.signal).then(() => {
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#timers.clear();
      this.#ready.length = this.#taken = 0;
    });
  }

  /** Keys waiting for a worker. */
  get depth(): number {
    return this.#ready.length - this.#taken;
  }

  /** Asks for the key to be worked on as soon as a worker is free. */
  add(key: string): void {
    if (this.#options.signal.aborted) return;
    this.#clearTimer(key);
    if (this.#running.has(key)) {
      this.#dirty.add(key);
    } else if (!this.#waiting.has(key)) {
      this.#waiting.add(key);
      this.#ready.push(key);
      this.#pump();
    }
  }

  /** Asks for the key after `ms`, unless it is worked on earlier. */
  addAfter(key: string, ms: number): void {
    if (this.#options.signal.aborted || this.#waiting.has(key)) return;
    this.#clearTimer(key);
    this.#timers.set(
      key,
      setTimeout(() => this.add(key), ms),
    );
  }

  /** Resolves when no worker is busy; after the signal aborted, that means: for good. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await new Promise<void>(resolve => this.#settled.push(resolve));
  }

  #clearTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  #pump(): void {
    const { workers = 4, signal } = this.#options;
    while (!signal.aborted && this.#running.size < workers && this.depth > 0) {
      const key = this.#ready[this.#taken++]!;
      if (this.#taken * 2 > this.#ready.length) {
        this.#ready.splice(0, this.#taken);
        this.#taken = 0;
      }
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    let again: number | undefined;
    try {
      again = await this.#work(key);
      this.#tries.delete(key);
    } catch (error) {
      const tries = (this.#tries.get(key) ?? 0) + 1;
      this.#tries.set(key, tries);
      const keep = this.#options.onError?.(key, error, tries) ?? true;
      if (keep) again = backoffMs(tries - 1, this.#options.backoff);
      else this.#tries.delete(key);
    }
    this.#running.delete(key);
    for (const resolve of this.#settled.splice(0)) resolve();
    if (this.#dirty.delete(key)) this.add(key);
    else if (again !== undefined) this.addAfter(key, again);
    this.#pump();
  }
}
