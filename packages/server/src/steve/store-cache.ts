/**
 * StoreCache: the server's own resources of one type in the worker, as `/v1` shows them, kept in step with the cache that all doors read.
 * Fields that no API shows never get there.
 */
import type { Field, Fields, TypeDeclaration, TypedResource, TypeId } from '@drover/api';
import { apiVersionOf } from '@drover/api';
import { keyOf, type Log } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import { makeRow, type RawObject, type Row, type RowType } from './cache/row.ts';
import type { RowEvent } from './cache/worker-calls.ts';
import { EventRing } from './event-ring.ts';
import type { RowListener } from './type-cache.ts';

type Any = TypedResource<TypeId>;

export class StoreCache {
  readonly table: string;
  readonly ring = new EventRing();
  readonly #deps: Pick<ApiDeps, 'caches' | 'settings'>;
  readonly #worker: CacheWorker;
  readonly #id: TypeId;
  readonly #declaration: TypeDeclaration;
  readonly #listeners = new Set<RowListener>();
  readonly #resources = new WeakMap<RowEvent, Any>();
  #stop: AbortController | undefined;
  /** Changes reach the worker one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #version = 0n;

  constructor(parts: {
    deps: Pick<ApiDeps, 'caches' | 'settings'>;
    worker: CacheWorker;
    id: TypeId;
    declaration: TypeDeclaration;
    log: Log;
  }) {
    const { deps, worker, id, declaration, log } = parts;
    this.#deps = deps;
    this.#worker = worker;
    this.#id = id;
    this.#declaration = declaration;
    this.table = `hub/${id}`;
    worker.onLost(() => {
      this.stop();
      log.debug({ type: id }, 'the rows of a type are to be read anew');
    });
  }

  get version(): string {
    return String(this.#version);
  }

  /** Resolves when everything that was there when it was called is in. */
  async ready(): Promise<void> {
    if (!this.#stop) this.#start();
    await this.#last;
  }

  subscribe(listener: RowListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The resource that an event is about, as it was then. */
  resourceOf(event: RowEvent): Any | undefined {
    return this.#resources.get(event);
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#last = Promise.resolve();
    for (const listener of [...this.#listeners]) listener.ended();
    this.#listeners.clear();
  }

  /** The resource as a row, whose pieces are what anybody is shown of it. */
  rowOf(resource: Any): Row {
    return makeRow({ object: this.#shown(resource), cells: [resource.metadata.name] }, this.type, Date.now());
  }

  get type(): RowType {
    return {
      apiVersion: apiVersionOf(this.#declaration),
      kind: this.#declaration.kind,
      columns: [{ name: 'Name', type: 'string' }],
      withoutBodies: false,
    };
  }

  #start(): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#last = this.#worker.calls.open(this.table, this.type);
    const seen: { object: RawObject; cells: readonly unknown[] }[] = [];
    let filling = true;
    const cache = this.#deps.caches[this.#id];
    cache.subscribe(({ key, before, after }) => {
      if (after) this.#version = max(this.#version, BigInt(after.metadata.resourceVersion ?? '0'));
      // A deletion is newer than all that was seen, and older than all that comes.
      else this.#version += 1n;
      const version = String(this.#version);
      const resource = (after ?? before) as Any;
      const one = after && { object: this.#shown(after as Any), cells: [after.metadata.name] };
      if (filling) {
        if (one) seen.push(one);
        return;
      }
      const call = () =>
        one
          ? this.#worker.calls.put(this.table, [one], 1).then(({ events }) => events)
          : this.#worker.calls.remove(this.table, key, version);
      this.#queue(call, resource, stop.signal);
    }, stop.signal);
    filling = false;
    if (this.#id === 'setting') seen.push(...this.#defaults(new Set(seen.map(({ object }) => object.metadata.name))));
    this.ring.reset(this.version);
    this.#last = this.#last.then(() => this.#worker.calls.put(this.table, seen, 1));
    this.#last.catch(() => stop.signal.aborted || this.stop());
  }

  #queue(call: () => Promise<readonly RowEvent[]>, resource: Any, signal: AbortSignal): void {
    this.#last = this.#last.then(async () => {
      const events = await call();
      if (signal.aborted) return;
      for (const event of events) {
        this.#resources.set(event, resource);
        this.ring.push(event);
        for (const listener of [...this.#listeners]) listener.event(event);
      }
    });
    this.#last.catch(() => signal.aborted || this.stop());
  }

  /** Settings that nobody has set are there all the same. */
  #defaults(stored: ReadonlySet<string>): { object: RawObject; cells: readonly unknown[] }[] {
    const all = this.#deps.settings.all().filter(({ name }) => !stored.has(name));
    return all.map(({ name }) => ({ object: this.#shown(bareSetting(name)), cells: [name] }));
  }

  #shown(resource: Any): RawObject {
    const { top, spec, status, v3 } = this.#declaration;
    const { metadata, apiVersion, kind } = resource;
    const shown = {
      apiVersion,
      kind,
      metadata,
      ...visible(resource, top),
      ...(resource.spec === undefined ? {} : { spec: visible(resource.spec, spec) }),
      ...(resource.status === undefined || v3.status === 'hidden' ? {} : { status: visible(resource.status, status) }),
    } as unknown as RawObject & Record<string, unknown>;
    if (this.#id !== 'setting' || !this.#deps.settings.has(metadata.name)) return shown;
    const { value, source, default: fallback } = this.#deps.settings.show(metadata.name);
    return { ...shown, value, source, default: fallback, customized: source !== 'default' } as RawObject;
  }
}

/** A setting that is not stored, as a resource: older than any that is. */
export function bareSetting(name: string): Any {
  return {
    apiVersion: 'management.cattle.io/v3',
    kind: 'Setting',
    metadata: { name, resourceVersion: '0' },
  } as unknown as Any;
}

const max = (a: bigint, b: bigint) => (a > b ? a : b);

/** The declared fields, but for those that no API shows. */
function visible(value: unknown, fields: Fields | undefined): Record<string, unknown> {
  const from = (value ?? {}) as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields ?? {})) {
    if (field.secret || field.writeOnly || field.type === 'password' || from[name] === undefined) continue;
    out[name] = visibleField(from[name], field);
  }
  return out;
}

function visibleField(value: unknown, field: Field): unknown {
  if (!field.of || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(item => visibleField(item, field));
  if (!field.type.startsWith('map[')) return visible(value, field.of);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visible(item, field.of)]));
}

/** The key of a resource as ids of `/v1` have it. */
export const idOf = (resource: Any) => keyOf(resource.metadata);
