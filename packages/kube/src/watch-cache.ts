/**
 * WatchCache: the objects of one collection as they are now, kept current by list and watch. After a cut it goes on
 * from the last resourceVersion it saw; only when that is gone it lists anew, and then tells just what differs.
 */
import {
  type BackoffOptions,
  backoffMs,
  internal,
  isExpired,
  messageOf,
  type Resource,
  StatusError,
  sleep,
  withSignal,
} from '@drover/base';
import type { KubeClient, List } from './client.ts';
import { type Change, type IndexFunction, ObjectStore } from './object-store.ts';
import type { ResourceRef } from './resource-ref.ts';
import type { WatchEvent } from './watch.ts';

export interface WatchCacheOptions<T extends Resource> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Drops what isn't needed, to save memory; metadata.managedFields are dropped already. undefined: don't keep the object. */
  readonly transform?: (object: T) => T | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** The most memory that the objects may take, 64 MiB unless told. Over it, `run` throws RequestEntityTooLarge. */
  readonly maxBytes?: number;
  readonly pageSize?: number;
  /** How long one watch lasts before it is renewed; spread between this and double, 300 s unless told. */
  readonly watchSeconds?: number;
  readonly backoff?: BackoffOptions;
  /** Told of each failure that is tried again, with the number of them in a row. */
  readonly onError?: (error: StatusError, failures: number) => void;
}

const defaultMaxBytes = 64 << 20;
/** A server that neither ends a watch in time nor says anything for this long after is gone. */
const graceMs = 30_000;
/** A watch that lived this long before it was cut starts the backoff afresh. */
const healthyMs = 5000;

export class WatchCache<T extends Resource> {
  readonly #client: KubeClient;
  readonly #ref: ResourceRef;
  readonly #options: WatchCacheOptions<T>;
  readonly #store: ObjectStore<T>;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #firstSync = Promise.withResolvers<void>();
  #resourceVersion: string | undefined;
  #synced = false;
  #error: StatusError | undefined;
  /** Set after a page token expired: the next list is taken in one piece. */
  #unpaged = false;

  constructor(client: KubeClient, ref: ResourceRef, options: WatchCacheOptions<T> = {}) {
    this.#client = client;
    this.#ref = ref;
    this.#options = options;
    this.#store = new ObjectStore(options.indexes ?? {}, options.maxBytes ?? defaultMaxBytes);
    // Nobody has to wait for it.
    this.#firstSync.promise.catch(() => {});
  }

  /** True once the first list is in; stays true while a cut is being healed. */
  get isSynced(): boolean {
    return this.#synced;
  }

  /** Why it may be behind just now; undefined while the watch is open. */
  get error(): StatusError | undefined {
    return this.#error;
  }

  /** The revision that the objects are at. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get size(): number {
    return this.#store.size;
  }

  get bytes(): number {
    return this.#store.bytes;
  }

  /** Resolves when the first list is in; rejects when `run` ended before. */
  synced(signal?: AbortSignal): Promise<void> {
    return withSignal(this.#firstSync.promise, signal);
  }

  /** By `namespace/name`, or the name of a cluster-scoped object. */
  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  list(): T[] {
    return [...this.#store.values()];
  }

  byIndex(index: string, value: string): T[] {
    return this.#store.byIndex(index, value);
  }

  /** Tells each change after it is in the cache, in order and synchronously; gives the function that ends it. */
  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Keeps the cache current until the signal aborts, then resolves. Rejects when the objects outgrow `maxBytes` (the
   * cache is emptied then) and when a listener throws; every other failure is tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    try {
      while (!signal.aborted) {
        const startedAt = performance.now();
        const failed = (await this.#relistIfNeeded(signal)) ?? (await this.#watch(signal));
        if (signal.aborted) break;
        if (failed === undefined) {
          // A server that ends watches at once must not be asked in a loop.
          failures = performance.now() - startedAt < 1000 ? failures + 1 : 0;
          if (failures === 0) continue;
        } else {
          if (performance.now() - startedAt > healthyMs) failures = 0;
          failures++;
          this.#error = failed;
          this.#options.onError?.(failed, failures);
        }
        await sleep(backoffMs(failures - 1, { minMs: 100, maxMs: 30_000, ...this.#options.backoff }), signal);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#store.clear();
        this.#synced = false;
        throw error;
      }
    } finally {
      this.#firstSync.reject(signal.aborted ? signal.reason : internal('the watch cache has ended'));
    }
  }

  async #relistIfNeeded(signal: AbortSignal): Promise<StatusError | undefined> {
    if (this.#resourceVersion !== undefined) return undefined;
    const { transform, pageSize = 500, namespace, labelSelector, fieldSelector } = this.#options;
    const fresh = new Map<string, T>();
    // Only there to count: what comes in page by page is bounded before it replaces what is there.
    const bound = new ObjectStore<T>({}, this.#options.maxBytes ?? defaultMaxBytes);
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const limit = this.#unpaged ? undefined : pageSize;
      const page = await settle(
        this.#client.list<T>(this.#ref, { namespace, labelSelector, fieldSelector, limit, continue: next, signal }),
        signal,
      );
      if (page instanceof StatusError) {
        this.#unpaged = isExpired(page);
        return page;
      }
      for (const raw of page.items) {
        const object = keep(raw, transform);
        const change = object && bound.set(object);
        if (change?.type === 'added') fresh.set(change.key, change.object);
      }
      next = page.continue;
      resourceVersion = page.resourceVersion;
    } while (next !== undefined);
    this.#unpaged = false;
    for (const key of this.#store.keys()) if (!fresh.has(key)) this.#tell(this.#store.delete(key));
    for (const object of fresh.values()) this.#tell(this.#store.set(object));
    this.#resourceVersion = resourceVersion;
    this.#synced = true;
    this.#firstSync.resolve();
    return undefined;
  }

  /** One watch from the last revision; undefined when the server ended it in its time. */
  async #watch(signal: AbortSignal): Promise<StatusError | undefined> {
    const { namespace, labelSelector, fieldSelector, watchSeconds = 300 } = this.#options;
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + Math.random()));
    const ended = new AbortController();
    const onAbort = () => ended.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const late = () => ended.abort(internal(`the watch of ${this.#ref.resource} outlived its time`));
    const timer = setTimeout(late, timeoutSeconds * 1000 + graceMs);
    const events = this.#client
      .watch<T>(this.#ref, {
        namespace,
        labelSelector,
        fieldSelector,
        resourceVersion: this.#resourceVersion,
        allowWatchBookmarks: true,
        timeoutSeconds,
        signal: ended.signal,
      })
      [Symbol.asyncIterator]();
    try {
      for (;;) {
        // Only what the stream throws is tried again; what a listener throws is a bug and passes.
        const next = await settle(events.next(), ended.signal);
        if (next instanceof StatusError) {
          if (isExpired(next)) this.#resourceVersion = undefined;
          return next;
        }
        if (next.done) return undefined;
        this.#error = undefined;
        this.#apply(next.value);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      ended.abort(internal('done'));
      await events.return?.().catch(() => {});
    }
  }

  #apply({ type, object: raw }: WatchEvent<T>): void {
    if (type !== 'BOOKMARK') {
      const object = type === 'DELETED' ? undefined : keep(raw, this.#options.transform);
      const { namespace, name } = raw.metadata;
      this.#tell(object ? this.#store.set(object) : this.#store.delete(namespace ? `${namespace}/${name}` : name));
    }
    this.#resourceVersion = raw.metadata.resourceVersion ?? this.#resourceVersion;
  }

  #tell(change: Change<T> | undefined): void {
    if (change) for (const listener of this.#listeners) listener(change);
  }
}

function keep<T extends Resource>(raw: T, transform: ((object: T) => T | undefined) | undefined): T | undefined {
  const { managedFields: _, ...metadata } = raw.metadata as T['metadata'] & { managedFields?: unknown };
  const object = { ...raw, metadata };
  return transform ? transform(object) : object;
}

/** What the promise gives, or the StatusError that it is rejected with; anything else is made one. */
async function settle<V extends List | IteratorResult<unknown>>(
  promise: Promise<V>,
  signal: AbortSignal,
): Promise<V | StatusError> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof StatusError) return error;
    const reason = signal.aborted ? signal.reason : error;
    return reason instanceof StatusError ? reason : internal(messageOf(reason), reason);
  }
}
