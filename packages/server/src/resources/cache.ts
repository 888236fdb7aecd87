/**
 * ResourceCache: all resources of one type in memory, kept in step by one watch. Reading it is synchronous. Our own
 * writes show in it at once through `observe`; another replica's within the watch's delay.
 */
import { type TypeDeclaration, type TypedResource, type TypeId, types } from '@drover/api';
import { backoffMs, isExpired, keyOf, type Log, sleep } from '@drover/base';
import { Listeners } from './listeners.ts';
import { noteRead, type Source } from './reads.ts';
import type { ResourceEvent, Resources } from './resources.ts';
import { fieldValue } from './unique.ts';

/** Computes the index values of a resource; it is found under each of them. */
export type IndexBy<R> = (resource: R) => readonly (string | undefined)[];
/** What a listener is told of: one resource, or those of one namespace. */
export type Only = { readonly key: string } | { readonly namespace: string };
export type CacheListener<R> = (change: { readonly key: string; readonly before?: R; readonly after?: R }) => void;

export class ResourceCache<Id extends TypeId, R extends TypedResource<Id> = TypedResource<Id>> implements Source {
  readonly #items = new Map<string, R>();
  readonly #indexes = new Map<string, { readonly by: IndexBy<R>; readonly keys: Map<string, Set<string>> }>();
  readonly #listeners = new Listeners<CacheListener<R>>();
  readonly #resources: Resources;
  readonly id: Id;
  readonly #log: Log;
  #version = '0';
  /** How often something in it changed. */
  changes = 0;
  /** Own writes whose event has not come yet, with when they were made. */
  readonly #written = new Map<string, number>();
  /** How long the last own write took to come back as an event, in ms. */
  watchLagMs = 0;
  #synced!: () => void;
  /** Resolves when everything that was there at the start is in. */
  readonly synced: Promise<void>;

  constructor(id: Id, resources: Resources, log: Log) {
    this.id = id;
    this.#resources = resources;
    this.#log = log;
    this.synced = new Promise(resolve => (this.#synced = resolve));
  }

  get(name: string, namespace?: string): R | undefined {
    noteRead(this);
    return this.#items.get(keyOf({ name, namespace }));
  }

  byKey(key: string): R | undefined {
    noteRead(this);
    return this.#items.get(key);
  }

  all(): IterableIterator<R> {
    noteRead(this);
    return this.#items.values();
  }

  get size(): number {
    noteRead(this);
    return this.#items.size;
  }

  /** Declares an index; what is already cached is indexed at once. */
  index(name: string, by: IndexBy<R>): this {
    const index = { by, keys: new Map<string, Set<string>>() };
    this.#indexes.set(name, index);
    for (const [key, item] of this.#items) addTo(index.keys, by(item), key);
    return this;
  }

  /** The resources found under a value of the index. */
  by(index: string, value: string): R[] {
    noteRead(this);
    const keys = this.#indexes.get(index)?.keys.get(value);
    return keys ? [...keys].map(key => this.#items.get(key)!) : [];
  }

  /** How many are found under it; takes as long with one as with thousands. */
  count(index: string, value: string): number {
    noteRead(this);
    return this.#indexes.get(index)?.keys.get(value)?.size ?? 0;
  }

  /**
   * Tells the listener of every later change, and first of all that is there now. Ends with the signal. Whoever follows one thing of
   * thousands says so, and the others' changes cost nothing.
   */
  subscribe(listener: CacheListener<R>, signal: AbortSignal, only?: Only): void {
    for (const key of only === undefined ? this.#items.keys() : this.#keysOf(only)) {
      const after = this.#items.get(key);
      if (after) listener({ key, after });
    }
    this.#listeners.add(listener, signal, only && thingOf(only));
  }

  #keysOf(only: Only): readonly string[] {
    if ('key' in only) return [only.key];
    return [...(this.#indexes.get(namespaceIndex)?.keys.get(only.namespace) ?? [])];
  }

  #tell(change: { readonly key: string; readonly before?: R; readonly after?: R }): void {
    const { namespace } = (change.after ?? change.before)!.metadata;
    const things = [thingOf({ key: change.key }), namespace === undefined ? undefined : thingOf({ namespace })];
    this.#listeners.tell(things, listener => listener(change));
  }

  /** Shows a resource that was just written, without waiting for the watch. An older one than is there changes nothing. */
  observe(resource: R, gone = false): void {
    const key = keyOf(resource.metadata);
    if (this.#written.size < 1000) this.#written.set(resource.metadata.resourceVersion!, performance.now());
    if (!isNewer(resource, this.#items.get(key)) || !isNewer(resource, undefined, this.#version)) return;
    if (gone) this.#drop(key);
    else this.#put(resource);
  }

  /** Lists, then watches, until the signal aborts. A cut or an expired revision is made good by itself. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#list();
        this.#synced();
        failures = 0;
        for await (const event of this.#resources.watch(this.id, { resourceVersion: this.#version, signal }))
          this.#apply(event);
      } catch (error) {
        if (signal.aborted) return;
        if (!isExpired(error)) this.#log.warn({ err: error, type: this.id }, 'watch of the store ended; listing anew');
        await sleep(backoffMs(failures++, { minMs: 50, maxMs: 5000 }), signal).catch(() => undefined);
      }
    }
  }

  async #list(): Promise<void> {
    const seen = new Set<string>();
    let next: string | undefined;
    do {
      const page = await this.#resources.list(this.id, { limit: 500, continue: next });
      for (const item of page.items) {
        seen.add(keyOf(item.metadata));
        if (isNewer(item, this.#items.get(keyOf(item.metadata)))) this.#put(item as R);
      }
      this.#version = page.resourceVersion;
      next = page.continue;
    } while (next);
    for (const [key, item] of this.#items)
      if (!seen.has(key) && !isNewer(item, undefined, this.#version)) this.#drop(key);
  }

  #apply(event: ResourceEvent<TypedResource<Id>>): void {
    if (event.type === 'BOOKMARK') {
      this.#version = event.resourceVersion;
      return;
    }
    const key = keyOf(event.object.metadata);
    this.#version = event.object.metadata.resourceVersion!;
    const writtenAt = this.#written.get(this.#version);
    if (writtenAt !== undefined) {
      this.watchLagMs = performance.now() - writtenAt;
      this.#written.clear();
    }
    const there = this.#items.get(key);
    if (event.type === 'DELETED') {
      if (there && !isNewer(there, event.object)) this.#drop(key);
    } else if (isNewer(event.object, there)) {
      this.#put(event.object as R);
    }
  }

  #put(after: R): void {
    const key = keyOf(after.metadata);
    const before = this.#items.get(key);
    this.#items.set(key, after);
    this.changes++;
    for (const { by, keys } of this.#indexes.values()) {
      if (before) removeFrom(keys, by(before), key);
      addTo(keys, by(after), key);
    }
    this.#tell({ key, before, after });
  }

  #drop(key: string): void {
    const before = this.#items.get(key);
    if (!before) return;
    this.#items.delete(key);
    this.changes++;
    for (const { by, keys } of this.#indexes.values()) removeFrom(keys, by(before), key);
    this.#tell({ key, before });
  }
}

const thingOf = (only: Only): string => ('key' in only ? `key ${only.key}` : `in ${only.namespace}`);

/** Whether `a` was written after `b`; our own versions are growing decimals, which no client may rely on but we may. */
function isNewer(
  a: { readonly metadata: { readonly resourceVersion?: string } },
  b: typeof a | undefined,
  version = '0',
): boolean {
  return BigInt(a.metadata.resourceVersion!) > BigInt(b?.metadata.resourceVersion ?? version);
}

function addTo(keys: Map<string, Set<string>>, values: readonly (string | undefined)[], key: string): void {
  for (const value of values) {
    if (value === undefined) continue;
    const set = keys.get(value);
    if (set) set.add(key);
    else keys.set(value, new Set([key]));
  }
}

function removeFrom(keys: Map<string, Set<string>>, values: readonly (string | undefined)[], key: string): void {
  for (const value of values) {
    const set = value === undefined ? undefined : keys.get(value);
    if (set?.delete(key) && set.size === 0) keys.delete(value!);
  }
}

/** Finds the resources of a namespace, in the cache of every type that has them. */
export const namespaceIndex = 'namespace';

/** Finds the resources of a type by the value that each has alone; those that need not have it alone, too. */
export const uniqueIndex = 'unique';

/** A cache of every type, for a server: `caches.cluster.get('c-abcde')`. */
export type Caches = { readonly [Id in TypeId]: ResourceCache<Id> };

export function createCaches(resources: Resources, log: Log): Caches {
  const caches = Object.fromEntries(
    Object.keys(types).map(id => [id, new ResourceCache(id as TypeId, resources, log)]),
  ) as unknown as Caches;
  for (const [id, type] of Object.entries(types) as [TypeId, TypeDeclaration][]) {
    const cache = caches[id] as ResourceCache<TypeId>;
    if (type.scope === 'namespaced') cache.index(namespaceIndex, ({ metadata }) => [metadata.namespace]);
    if (type.unique) cache.index(uniqueIndex, resource => [fieldValue(type, resource)]);
  }
  resources.onWrite = (id, resource, gone) => (caches[id] as ResourceCache<TypeId>).observe(resource, gone);
  return caches;
}

/** Runs them all until the signal aborts; resolves once all are synced. */
export async function startCaches(caches: Caches, signal: AbortSignal): Promise<void> {
  const all = Object.values(caches) as ResourceCache<TypeId>[];
  for (const cache of all) void cache.run(signal);
  await Promise.all(all.map(cache => cache.synced));
}
