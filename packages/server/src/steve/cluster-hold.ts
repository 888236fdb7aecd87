/**
 * ClusterHold: what the server keeps of one cluster for `/v1`: its types, its roles, and the caches of the types that somebody looked
 * at lately. All of it goes when nobody looks, or when the way to the cluster changes.
 */
import { aborted, type Log, messageOf, StatusError, unavailable } from '@drover/base';
import { KubeClient, resourcePath } from '@drover/kube';
import type { Upstream, Upstreams } from '../clusters/upstream.ts';
import type { Column } from './cache/ages.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import { readTable, tableAccept } from './cache/table-bytes.ts';
import { ClusterCalls } from './cluster-calls.ts';
import { ClusterRbac } from './rbac.ts';
import { type SteveType, typesOf } from './steve-type.ts';
import { readBytes, TypeCache } from './type-cache.ts';

export interface HoldLimits {
  /** The most that is kept of one type, and of all types of all clusters. */
  readonly typeBytes: number;
  readonly totalBytes: number;
  readonly idleMs: number;
}

const defaultLimits: HoldLimits = { typeBytes: 512 << 20, totalBytes: 2 ** 31, idleMs: 10 * 60_000 };
const typesFreshMs = 30_000;
const columnTries = 8;

export class ClusterHold {
  readonly clusterId: string;
  readonly calls: ClusterCalls;
  readonly rbac: ClusterRbac;
  readonly upstream: Upstream;
  readonly #system: KubeClient;
  readonly #worker: CacheWorker;
  readonly #log: Log;
  readonly #life = new AbortController();
  readonly #caches = new Map<string, TypeCache>();
  readonly #columns = new Map<string, Promise<readonly Column[] | undefined>>();
  readonly #limits: HoldLimits;
  #types: Promise<ReadonlyMap<string, SteveType>> | undefined;
  #typesAt = 0;
  /** How many ask for columns at once. */
  #asking = 0;
  readonly #waiting: (() => void)[] = [];
  lastUsed = performance.now();

  constructor(parts: { upstream: Upstream; upstreams: Upstreams; worker: CacheWorker; limits: HoldLimits; log: Log }) {
    const { upstream, upstreams, worker, limits, log } = parts;
    this.upstream = upstream;
    this.clusterId = upstream.clusterId;
    this.#worker = worker;
    this.#limits = limits;
    this.#log = log;
    // Every type that somebody looks at is watched over a connection of its own.
    this.#system = new KubeClient({ ...upstreams.connection(this.clusterId), connections: 512 });
    this.calls = new ClusterCalls(upstream);
    this.rbac = new ClusterRbac(this.#system, { signal: this.#life.signal, log });
  }

  get caches(): IterableIterator<TypeCache> {
    return this.#caches.values();
  }

  /** Resolves with its end. */
  get ended(): Promise<void> {
    return aborted(this.#life.signal);
  }

  /** The types that the cluster has now; looked at again from time to time, or at once where `missed`. */
  async types(missed = false): Promise<ReadonlyMap<string, SteveType>> {
    const age = performance.now() - this.#typesAt;
    if (!this.#types || age > (missed ? 1000 : typesFreshMs)) {
      this.#typesAt = performance.now();
      const discovery = this.#system.discovery();
      discovery.forget();
      const before = this.#types;
      const read = discovery.resources().then(typesOf);
      this.#types = read;
      read.catch(() => {
        if (this.#types === read) this.#types = undefined;
      });
      if (before) return missed ? read : read.catch(() => before);
    }
    return this.#types;
  }

  cacheOf(type: SteveType): TypeCache {
    this.lastUsed = performance.now();
    let cache = this.#caches.get(type.id);
    if (cache && cache.type.ref.apiVersion !== type.ref.apiVersion) {
      void cache.stop('the cluster prefers another version of it');
      cache = undefined;
    }
    if (!cache) {
      cache = new TypeCache({
        worker: this.#worker,
        client: this.#system,
        type,
        table: `${this.clusterId}/${type.id}/${type.version}`,
        maxBytes: this.#limits.typeBytes,
        log: this.#log,
      });
      this.#caches.set(type.id, cache);
    }
    return cache;
  }

  /** The printer columns of a type; undefined where the cluster makes no table of it. */
  columnsOf(type: SteveType): Promise<readonly Column[] | undefined> {
    const cached = this.#caches.get(type.id)?.columns;
    if (cached) return Promise.resolve(cached);
    const key = `${type.ref.apiVersion} ${type.resource}`;
    let columns = this.#columns.get(key);
    if (!columns) {
      columns = this.#askColumns(type).catch(() => undefined);
      this.#columns.set(key, columns);
    }
    return columns;
  }

  async #askColumns(type: SteveType): Promise<readonly Column[] | undefined> {
    if (!type.verbs.includes('list')) return undefined;
    while (this.#asking >= columnTries) await new Promise<void>(resolve => this.#waiting.push(resolve));
    this.#asking++;
    try {
      const { body } = await this.#system.stream('GET', resourcePath(type.ref), {
        query: { limit: 1, includeObject: 'None' },
        headers: { accept: tableAccept },
        signal: AbortSignal.timeout(10_000),
      });
      const bytes = await readBytes(body, 4 << 20);
      return bytes && readTable(bytes).columns;
    } finally {
      this.#asking--;
      this.#waiting.shift()?.();
    }
  }

  /** Stops what nobody has looked at for long. */
  async sweep(now: number): Promise<void> {
    for (const cache of this.#caches.values())
      if (!cache.isUsed && cache.version !== '' && now - cache.lastUsed > this.#limits.idleMs) await cache.stop();
    // Columns of types that changed since are asked for anew now and then.
    if (now - this.#typesAt > this.#limits.idleMs) this.#columns.clear();
  }

  async end(reason: string): Promise<void> {
    this.#life.abort(unavailable(reason));
    await Promise.all([...this.#caches.values()].map(cache => cache.stop(reason)));
    await this.calls[Symbol.asyncDispose]();
    await this.#system[Symbol.asyncDispose]();
  }
}

/** The holds of all clusters that somebody looks at. */
export class ClusterHolds implements AsyncDisposable {
  readonly #parts: { readonly upstreams: Upstreams; readonly worker: CacheWorker; readonly log: Log };
  readonly #limits: HoldLimits;
  readonly #holds = new Map<string, ClusterHold>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    parts: { readonly upstreams: Upstreams; readonly worker: CacheWorker; readonly log: Log },
    signal: AbortSignal,
    limits: Partial<HoldLimits> = {},
  ) {
    this.#parts = parts;
    this.#limits = { ...defaultLimits, ...limits };
    parts.upstreams.subscribe(clusterId => this.#look(clusterId), signal);
    parts.worker.onLost(() => this.#restart());
    this.#timer = setInterval(() => void this.#sweep(), Math.min(60_000, this.#limits.idleMs / 2)).unref();
  }

  /** Throws NotFound where there is no such cluster, ServiceUnavailable with its cause where it is away. */
  get(clusterId: string): ClusterHold {
    const upstream = this.#parts.upstreams.get(clusterId);
    const kept = this.#holds.get(clusterId);
    if (kept?.upstream === upstream) {
      kept.lastUsed = performance.now();
      return kept;
    }
    if (kept) this.#end(kept, 'the way to the cluster has changed');
    const hold = new ClusterHold({ ...this.#parts, upstream, limits: this.#limits });
    this.#holds.set(clusterId, hold);
    return hold;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#holds.values()].map(hold => hold.end('the server is stopping')));
    this.#holds.clear();
  }

  #look(clusterId: string): void {
    const kept = this.#holds.get(clusterId);
    if (!kept) return;
    try {
      if (this.#parts.upstreams.get(clusterId) !== kept.upstream) this.#end(kept, 'the way to the cluster has changed');
    } catch (error) {
      // One that is only away is back within seconds as a rule, and its caches go on from where they were.
      if (error instanceof StatusError && error.reason === 'NotFound') this.#end(kept, 'the cluster was deleted');
    }
  }

  #restart(): void {
    for (const hold of this.#holds.values())
      for (const cache of hold.caches) void cache.stop('the lists are being read anew');
  }

  #end(hold: ClusterHold, reason: string): void {
    this.#holds.delete(hold.clusterId);
    hold
      .end(reason)
      .catch(error =>
        this.#parts.log.warn(
          { err: error, message: messageOf(error) },
          'what was kept of a cluster could not be let go',
        ),
      );
  }

  async #sweep(): Promise<void> {
    const now = performance.now();
    for (const hold of [...this.#holds.values()]) {
      await hold.sweep(now);
      const idle = [...hold.caches].every(cache => !cache.isUsed && cache.version === '');
      if (idle && now - hold.lastUsed > this.#limits.idleMs) this.#end(hold, 'nobody looks at it');
    }
    const all = [...this.#holds.values()].flatMap(hold => [...hold.caches]);
    let total = all.reduce((sum, cache) => sum + cache.bytes, 0);
    for (const cache of all.filter(one => !one.isUsed).sort((a, b) => a.lastUsed - b.lastUsed)) {
      if (total <= this.#limits.totalBytes) break;
      total -= cache.bytes;
      await cache.stop('others need the room');
    }
  }
}
