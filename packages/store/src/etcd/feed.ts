/**
 * The store's one feed from etcd and its heartbeat. etcd's own progress notices may overtake events, so a bookmark is given only
 * when a heartbeat, a key under the same prefix, has come back through the very watch that carries the events.
 */
import { backoffMs, isExpired, sleep } from '@drover/base';
import type { Revision } from '../store.ts';
import type { Batch, WatchHub } from '../watch-hub.ts';

export const heartbeatKey = '~heartbeat';

export interface FeedOptions {
  readonly hub: WatchHub;
  open(after: Revision, signal: AbortSignal): AsyncIterable<Batch>;
  /** Writes the heartbeat key. */
  beat(): Promise<unknown>;
  revision(): Promise<Revision>;
  /** Told of each batch before the watchers are. */
  seen(batch: Batch): void;
  readonly signal: AbortSignal;
}

export class Feed {
  readonly #options: FeedOptions;
  readonly #running: Promise<void>;
  #beating: Promise<void> | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Asks for a heartbeat; many askers share one. A lost one is asked for again by whoever still waits. */
  beat(): void {
    if (this.#options.signal.aborted) return;
    this.#beating ??= this.#options
      .beat()
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#beating = undefined;
      });
  }

  /** Resolves when the feed has ended. */
  async ended(): Promise<void> {
    await this.#running;
    await this.#beating;
  }

  async #run(): Promise<void> {
    const { hub, signal, open, seen } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        for await (const batch of open(hub.last, signal)) {
          attempt = 0;
          seen(batch);
          hub.publish(batch);
          if (isHeartbeat(batch)) hub.mark(batch.revision);
        }
      } catch (error) {
        if (signal.aborted) return;
        await this.#begunAnew(error as Error).catch(() => undefined);
        await sleep(backoffMs(attempt, { minMs: 20, maxMs: 2000 }), signal).catch(() => undefined);
      }
    }
  }

  /** The watchers are told why they end. What a compaction took from the feed is gone, so it goes on from now. */
  async #begunAnew(error: Error): Promise<void> {
    const { hub, revision } = this.#options;
    hub.reset(error, isExpired(error) ? await revision() : hub.last);
  }
}

function isHeartbeat(batch: Batch): boolean {
  const [event] = batch.events;
  return event?.type === 'put' && event.entry.key === heartbeatKey;
}
