/**
 * Hands committed transactions to every watcher of one store. A watcher that is behind (begun in the past, or slow) reads
 * history at its own pace and joins the live ones once it has caught up, so its memory is bounded and no writer waits for it.
 */
import { anySignal, unavailable } from '@drover/base';
import { isUnder } from './keys.ts';
import type { Revision, StoreEvent, WatchOptions } from './store.ts';

/** All that one transaction did, in the order of its ops. */
export interface Batch {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

export interface HubDriver {
  /**
   * Batches after the revision, in order, without a gap, as far as the reader pulls; may end once it has given all there is.
   * Throws Expired when they are no longer all kept.
   */
  history(after: Revision, signal: AbortSignal): AsyncIterable<Batch>;
  /** The last revision that is known to be the store's own; a watch from beyond it is left to `history` to judge. */
  newest(): Revision;
  /** A watcher wants a bookmark: call `hub.mark(r)` as soon as every event up to r is sure to have been published. */
  wantMark(): void;
}

export interface HubLimits {
  /** Events that one live watcher may have waiting before it is sent to read history. */
  readonly maxQueued?: number;
  /** Transactions kept for those who join a moment late. */
  readonly maxRecent?: number;
}

const maxRecentChars = 8_000_000;

export class WatchHub {
  readonly #driver: HubDriver;
  readonly #live = new Set<LiveQueue>();
  readonly #recent: Batch[] = [];
  #recentChars = 0;
  /** Everything after this revision is in #recent. */
  #recentAfter: Revision;
  #last: Revision;
  readonly #closing = new AbortController();
  readonly #limits: Required<HubLimits>;
  #resetting = new AbortController();

  constructor(driver: HubDriver, from: Revision, limits: HubLimits = {}) {
    this.#driver = driver;
    this.#last = from;
    this.#recentAfter = from;
    this.#limits = { maxQueued: limits.maxQueued ?? 8192, maxRecent: limits.maxRecent ?? 1024 };
  }

  /** The last revision that was published. */
  get last(): Revision {
    return this.#last;
  }

  get watchers(): number {
    return this.#live.size;
  }

  publish(batch: Batch): void {
    this.#last = batch.revision;
    this.#recent.push(batch);
    this.#recentChars += charsOf(batch);
    while (this.#recent.length > this.#limits.maxRecent || this.#recentChars > maxRecentChars) {
      const dropped = this.#recent.shift()!;
      this.#recentChars -= charsOf(dropped);
      this.#recentAfter = dropped.revision;
    }
    for (const queue of this.#live) queue.push(batch);
  }

  /** Every event up to and including the revision has been published. */
  mark(revision: Revision): void {
    for (const queue of this.#live) queue.mark(revision);
  }

  /** Ends every watch with the error and begins anew after `from`: what lay between is lost to them. */
  reset(error: Error, from: Revision): void {
    this.#resetting.abort(error);
    this.#resetting = new AbortController();
    this.#recent.length = 0;
    this.#recentChars = 0;
    this.#last = from;
    this.#recentAfter = from;
  }

  close(): void {
    this.#closing.abort(unavailable('the store was closed'));
    this.#live.clear();
  }

  /** Watches from the moment of this call, not from that of the first `next`. */
  watch(prefix: string, after: Revision, options: WatchOptions): AsyncIterable<StoreEvent> {
    const stop = anySignal(options.signal, this.#closing.signal, this.#resetting.signal);
    const queue = after > this.#driver.newest() ? undefined : this.#join(prefix, after, after);
    if (queue) stop.addEventListener('abort', () => this.#live.delete(queue), { once: true });
    return { [Symbol.asyncIterator]: () => this.#run({ prefix, after, options, stop, queue }) };
  }

  /** Joins the live watchers if everything after `seen` is at hand. */
  #join(prefix: string, seen: Revision, marked: Revision): LiveQueue | undefined {
    if (seen < this.#recentAfter) return undefined;
    const queue = new LiveQueue(prefix, seen, marked, this.#limits.maxQueued);
    for (const batch of this.#recent) queue.push(batch);
    this.#live.add(queue);
    return queue;
  }

  async *#run(watch: Watch): AsyncGenerator<StoreEvent, void, undefined> {
    const { prefix, after, options, stop } = watch;
    let { queue } = watch;
    let seen = after;
    const timer = setInterval(() => {
      if (!queue?.idle) return;
      queue.due = true;
      this.#driver.wantMark();
    }, options.bookmarkEveryMs ?? 30_000).unref();
    const wake = () => queue?.wake();
    stop.addEventListener('abort', wake, { once: true });
    try {
      // The first bookmark waits for the first piece of history: it says that everything since is still kept.
      let begun = queue !== undefined;
      if (begun && !stop.aborted) yield { type: 'bookmark', revision: after };
      while (!stop.aborted) {
        if (queue === undefined) {
          for await (const batch of this.#driver.history(seen, stop)) {
            if (!begun) yield { type: 'bookmark', revision: after };
            begun = true;
            for (const event of batch.events) if (shows(prefix, event)) yield event;
            seen = batch.revision;
            queue = this.#join(prefix, seen, seen);
            if (stop.aborted || queue) break;
          }
          continue;
        }
        for (let events = queue.shift(); events && !stop.aborted; events = queue.shift())
          for (const event of events) yield event;
        if (queue.overflowed) {
          seen = queue.given;
          this.#live.delete(queue);
          queue = undefined;
        } else if (!stop.aborted) {
          await queue.filled();
        }
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    } finally {
      clearInterval(timer);
      stop.removeEventListener('abort', wake);
      if (queue) this.#live.delete(queue);
    }
    // A watch whose own signal aborted just ends; one that the store ended says why.
    if (stop.aborted && !options.signal.aborted) throw stop.reason;
  }
}

interface Watch {
  readonly prefix: string;
  readonly after: Revision;
  readonly options: WatchOptions;
  readonly stop: AbortSignal;
  readonly queue: LiveQueue | undefined;
}

function shows(prefix: string, event: StoreEvent): boolean {
  if (event.type === 'bookmark') return false;
  return isUnder(prefix, event.type === 'put' ? event.entry.key : event.key);
}

function charsOf(batch: Batch): number {
  let chars = 0;
  for (const event of batch.events) if (event.type === 'put') chars += event.entry.value.length;
  return chars;
}

/** What waits for one live watcher. */
class LiveQueue {
  readonly #prefix: string;
  readonly #max: number;
  #items: { events: readonly StoreEvent[]; revision: Revision }[] = [];
  #head = 0;
  #queued = 0;
  #wake: (() => void) | undefined;
  /** The revision up to which all has been taken in. */
  #seen: Revision;
  #marked: Revision;
  /** The revision up to which all has been given to the reader. */
  given: Revision;
  overflowed = false;
  due = false;

  constructor(prefix: string, seen: Revision, marked: Revision, max: number) {
    this.#prefix = prefix;
    this.#seen = seen;
    this.#marked = marked;
    this.given = seen;
    this.#max = max;
  }

  get idle(): boolean {
    return this.#head === this.#items.length && !this.overflowed;
  }

  push(batch: Batch): void {
    if (batch.revision <= this.#seen || this.overflowed) return;
    const events = batch.events.filter(event => shows(this.#prefix, event));
    if (events.length > 0 && this.#queued > 0 && this.#queued + events.length > this.#max) {
      this.overflowed = true;
      return;
    }
    this.#seen = batch.revision;
    if (events.length > 0) this.#put(events, batch.revision);
    else if (this.idle) this.given = batch.revision;
  }

  mark(revision: Revision): void {
    if (!this.due || this.overflowed || revision < this.#marked) return;
    this.due = false;
    this.#marked = revision;
    this.#put([{ type: 'bookmark', revision }], Math.min(revision, this.#seen));
  }

  shift(): readonly StoreEvent[] | undefined {
    const item = this.#items[this.#head];
    if (!item) return undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    this.#queued -= item.events.length;
    this.given = item.revision;
    return item.events;
  }

  filled(): Promise<void> {
    if (!this.idle || this.overflowed) return Promise.resolve();
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #put(events: readonly StoreEvent[], revision: Revision): void {
    this.#items.push({ events, revision });
    this.#queued += events.length;
    this.wake();
  }
}
