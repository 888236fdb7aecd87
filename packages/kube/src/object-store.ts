/**
 * Objects by key, with indexes and a count of the memory they take: the memory of a WatchCache, and how a fresh list is
 * told apart from what was there before.
 */
import { keyOf, type Resource, tooLarge } from '@drover/base';

export type Change<T> =
  | { readonly type: 'added'; readonly key: string; readonly object: T }
  | { readonly type: 'modified'; readonly key: string; readonly object: T; readonly old: T }
  | { readonly type: 'deleted'; readonly key: string; readonly old: T };

/** The values under which an object is found in an index, e.g. the node that a pod runs on. */
export type IndexFunction<T> = (object: T) => readonly string[];

export class ObjectStore<T extends Resource> {
  readonly #objects = new Map<string, { readonly object: T; readonly bytes: number }>();
  readonly #functions: Readonly<Record<string, IndexFunction<T>>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(functions: Readonly<Record<string, IndexFunction<T>>>, maxBytes: number) {
    this.#functions = functions;
    this.#maxBytes = maxBytes;
    for (const name of Object.keys(functions)) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  /** An estimate of the heap that the objects take. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)?.object;
  }

  *values(): Generator<T> {
    for (const { object } of this.#objects.values()) yield object;
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`there is no index "${name}"`);
    return [...(index.get(value) ?? [])].map(key => this.#objects.get(key)!.object);
  }

  /** Keeps the object; undefined when exactly this version was there. Throws RequestEntityTooLarge over the cap. */
  set(object: T): Change<T> | undefined {
    const key = keyOf(object.metadata);
    const before = this.#objects.get(key);
    const { resourceVersion, uid } = object.metadata;
    const had = before?.object.metadata;
    if (had && had.uid === uid && had.resourceVersion === resourceVersion && resourceVersion) return undefined;
    const bytes = sizeOf(object);
    if (this.#bytes - (before?.bytes ?? 0) + bytes > this.#maxBytes) {
      throw tooLarge(`${object.kind} objects take more than the ${this.#maxBytes} bytes they may`);
    }
    if (before) this.#remove(key, before);
    this.#objects.set(key, { object, bytes });
    this.#bytes += bytes;
    for (const [name, index] of this.#indexes) {
      for (const value of this.#functions[name]!(object)) {
        const keys = index.get(value);
        if (keys) keys.add(key);
        else index.set(value, new Set([key]));
      }
    }
    return before ? { type: 'modified', key, object, old: before.object } : { type: 'added', key, object };
  }

  delete(key: string): Change<T> | undefined {
    const before = this.#objects.get(key);
    if (!before) return undefined;
    this.#remove(key, before);
    return { type: 'deleted', key, old: before.object };
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  clear(): void {
    this.#objects.clear();
    for (const index of this.#indexes.values()) index.clear();
    this.#bytes = 0;
  }

  #remove(key: string, { object, bytes }: { readonly object: T; readonly bytes: number }): void {
    this.#objects.delete(key);
    this.#bytes -= bytes;
    for (const [name, index] of this.#indexes) {
      for (const value of this.#functions[name]!(object)) {
        const keys = index.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.delete(value);
      }
    }
  }
}

/** Roughly the heap bytes of JSON data; walking it costs less than encoding it. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  if (Array.isArray(value)) for (const one of value) bytes += 8 + sizeOf(one);
  else for (const key in value) bytes += 16 + sizeOf((value as Record<string, unknown>)[key]);
  return bytes;
}
