/**
 * Resources: the typed view of the store. Fills in what the server owns of metadata, keeps generation, runs finalizers,
 * and turns store events into resource events. It knows no users: who may is asked one layer above.
 */
import { randomUUID } from 'node:crypto';
import { apiVersionOf, type TypedResource, type TypeId, types } from '@drover/api';
import {
  alreadyExists,
  conflict,
  generateName,
  ignoreExists,
  ignoreNotFound,
  invalid,
  isAlreadyExists,
  isConflict,
  isDnsSubdomain,
  notFound,
} from '@drover/base';
import type { Compare, Entry, Op, Store } from '@drover/store';
import { decodeResource, encodeResource, formatVersion, parseVersion, type SecretCodec } from './codec.ts';
import { prefixOf, storeKey } from './key.ts';
import { claimsOf, uniqueValue, valueTaken } from './unique.ts';

export type ResourceEvent<R> =
  /** `previous` reads what was there before a change, for those who ask. */
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: R; previous?(): R }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface ResourceList<R> {
  readonly items: readonly R[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remaining: number;
}

/** What a caller gives to create: kind, apiVersion and what the server fills in may be left out. */
export type Draft<Id extends TypeId> = Omit<TypedResource<Id>, 'apiVersion' | 'kind' | 'metadata'> & {
  readonly metadata: Partial<TypedResource<Id>['metadata']>;
};

export interface WriteOptions {
  /** More conditions for the write to happen, such as a controller's lease. */
  readonly compares?: readonly Compare[];
}

/** Told of every write of this process, at the revision it got; `gone` when it was deleted. */
export type WriteListener = (id: TypeId, resource: TypedResource<TypeId>, gone: boolean) => void;

/** What else is written in the same step as a change, and what is done once it is in. */
export interface Beside {
  readonly ops: readonly Op[];
  readonly done?: () => void;
}

export class Resources {
  /** Asked before each change of something that is there; `after` is undefined when it goes. */
  beside:
    | ((id: TypeId, before: TypedResource<TypeId>, after: TypedResource<TypeId> | undefined) => Beside | undefined)
    | undefined;
  /** Shows this process its own writes before the watch does. */
  onWrite: WriteListener | undefined;
  readonly #store: Store;
  readonly #secrets: SecretCodec;
  readonly #now: () => Date;
  #held: () => readonly Compare[] = () => [];

  constructor(store: Store, secrets: SecretCodec, now: () => Date = () => new Date()) {
    this.#store = store;
    this.#secrets = secrets;
    this.#now = now;
  }

  /**
   * The same resources for somebody who writes only as long as something holds, such as his claim on a cluster: asked for at
   * each write, and compared in the store in the same step, so that one who was frozen can't write after his time.
   */
  whileHolding(held: () => readonly Compare[]): Resources {
    const view = new Resources(this.#store, this.#secrets, this.#now);
    view.#held = held;
    view.onWrite = (id, resource, gone) => this.onWrite?.(id, resource, gone);
    view.beside = (id, before, after) => this.beside?.(id, before, after);
    return view;
  }

  async get<Id extends TypeId>(id: Id, name: string, namespace?: string): Promise<TypedResource<Id>> {
    const entry = await this.#store.get(storeKey(types[id], name, namespace));
    if (!entry) throw notFound(types[id].id, name);
    return this.#decode(id, entry);
  }

  async list<Id extends TypeId>(
    id: Id,
    options: { namespace?: string; limit?: number; continue?: string } = {},
  ): Promise<ResourceList<TypedResource<Id>>> {
    const page = await this.#store.list(prefixOf(types[id], options.namespace), {
      limit: options.limit,
      continue: options.continue,
    });
    return {
      items: page.entries.map(entry => this.#decode(id, entry)),
      resourceVersion: formatVersion(this.#store.epoch, page.revision),
      ...(page.continue ? { continue: page.continue } : {}),
      remaining: page.remaining,
    };
  }

  /** Creates with a name given or generated; throws AlreadyExists, or Invalid for a name Kubernetes would not take, or a value that is another's alone. */
  async create<Id extends TypeId>(id: Id, draft: Draft<Id>, options: WriteOptions = {}): Promise<TypedResource<Id>> {
    const type = types[id];
    const { namespace } = draft.metadata;
    if ((type.scope === 'namespaced') !== Boolean(namespace)) {
      throw invalid(
        'metadata.namespace',
        type.scope === 'namespaced' ? `a ${type.id} needs one` : `a ${type.id} has none`,
      );
    }
    for (let attempt = 0; ; attempt++) {
      const name = draft.metadata.name || generateName(draft.metadata.generateName || type.namePrefix);
      if (!isDnsSubdomain(name))
        throw invalid('metadata.name', `"${name}" must be lower-case letters, digits, "-" and "."`);
      const { resourceVersion: _, deletionTimestamp: __, generateName: ___, ...metadata } = draft.metadata;
      const resource = {
        ...draft,
        apiVersion: apiVersionOf(type),
        kind: type.kind,
        metadata: { ...metadata, name, uid: randomUUID(), generation: 1, creationTimestamp: this.#timestamp() },
      } as unknown as TypedResource<Id>;
      try {
        return await this.#write(id, resource, undefined, options);
      } catch (error) {
        if (!isAlreadyExists(error) || draft.metadata.name || attempt >= 7) throw error;
      }
    }
  }

  /**
   * Replaces the resource; throws Conflict when it changed since `resource` was read. Name, uid, creation and deletion
   * times stay the server's. The last finalizer's removal from a resource being deleted deletes it.
   */
  async update<Id extends TypeId>(
    id: Id,
    resource: TypedResource<Id>,
    options: WriteOptions = {},
  ): Promise<TypedResource<Id>> {
    const { name, namespace, resourceVersion } = resource.metadata;
    const old = await this.get(id, name, namespace);
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
      throw conflict(types[id].id, name);
    const { uid, creationTimestamp, deletionTimestamp, generation = 1 } = old.metadata;
    const next = {
      ...resource,
      apiVersion: old.apiVersion,
      kind: old.kind,
      metadata: { ...resource.metadata, uid, creationTimestamp, deletionTimestamp, generation },
    } as TypedResource<Id>;
    if (deletionTimestamp && !next.metadata.finalizers?.length) {
      await this.#remove(id, old, options);
      return next;
    }
    if (sameContent(old, next)) return old;
    const changed = desired(old) === desired(next) ? generation : generation + 1;
    return this.#write(id, { ...next, metadata: { ...next.metadata, generation: changed } }, old, options);
  }

  /** Creates by the draft, or changes the one that is there: for what whoever comes first makes, and everybody after changes. */
  async put<Id extends TypeId>(
    id: Id,
    draft: Draft<Id> & { readonly metadata: { readonly name: string; readonly namespace?: string } },
    change: (resource: TypedResource<Id>) => TypedResource<Id> | undefined,
  ): Promise<TypedResource<Id>> {
    const { name, namespace } = draft.metadata;
    return (await ignoreExists(this.create(id, draft))) ?? (await this.modify(id, { name, namespace }, change));
  }

  /** Reads, changes and writes, again on Conflict. `change` answers the same object (or undefined) to leave it as it is. */
  async modify<Id extends TypeId>(
    id: Id,
    place: { name: string; namespace?: string },
    change: (resource: TypedResource<Id>) => TypedResource<Id> | undefined,
    options: WriteOptions = {},
  ): Promise<TypedResource<Id>> {
    for (let attempt = 0; ; attempt++) {
      const old = await this.get(id, place.name, place.namespace);
      const next = change(old);
      if (!next || next === old) return old;
      try {
        return await this.update(id, next, options);
      } catch (error) {
        if (!isConflict(error) || attempt >= 9) throw error;
      }
    }
  }

  /** Deletes, or marks as being deleted while finalizers remain. Answers what is left, or undefined when it is gone. */
  async delete<Id extends TypeId>(
    id: Id,
    place: { name: string; namespace?: string; uid?: string },
    options: WriteOptions = {},
  ): Promise<TypedResource<Id> | undefined> {
    for (let attempt = 0; ; attempt++) {
      const old = await this.get(id, place.name, place.namespace);
      if (place.uid && place.uid !== old.metadata.uid)
        throw conflict(types[id].id, place.name, 'it is another one of the same name');
      try {
        if (!old.metadata.finalizers?.length) {
          await this.#remove(id, old, options);
          return undefined;
        }
        if (old.metadata.deletionTimestamp) return old;
        const marked = { ...old, metadata: { ...old.metadata, deletionTimestamp: this.#timestamp() } };
        return await this.#write(id, marked, old, options);
      } catch (error) {
        if (!isConflict(error) || attempt >= 9) throw error;
      }
    }
  }

  /** Events after `resourceVersion`, in order; throws Expired when they are no longer kept. Begins with a bookmark. */
  async *watch<Id extends TypeId>(
    id: Id,
    options: { namespace?: string; resourceVersion?: string; bookmarkEveryMs?: number; signal: AbortSignal },
  ): AsyncGenerator<ResourceEvent<TypedResource<Id>>> {
    const { epoch } = this.#store;
    const after = options.resourceVersion === undefined ? undefined : parseVersion(epoch, options.resourceVersion);
    const watch = { after, bookmarkEveryMs: options.bookmarkEveryMs, signal: options.signal };
    for await (const event of this.#store.watch(prefixOf(types[id], options.namespace), watch)) {
      if (event.type === 'bookmark') yield { type: 'BOOKMARK', resourceVersion: formatVersion(epoch, event.revision) };
      else if (event.type === 'put') {
        const { entry, previous } = event;
        const object = this.#decode(id, entry);
        if (previous) yield { type: 'MODIFIED', object, previous: () => this.#decode(id, previous) };
        else yield { type: 'ADDED', object };
      } else yield { type: 'DELETED', object: this.#decode(id, { ...event.previous, revision: event.revision }) };
    }
  }

  /** The resource, or undefined where there is none. */
  find<Id extends TypeId>(id: Id, name: string, namespace?: string): Promise<TypedResource<Id> | undefined> {
    return ignoreNotFound(this.get(id, name, namespace));
  }

  async #write<Id extends TypeId>(
    id: Id,
    resource: TypedResource<Id>,
    before: TypedResource<Id> | undefined,
    options: WriteOptions,
  ): Promise<TypedResource<Id>> {
    const type = types[id];
    const revision = before ? parseVersion(this.#store.epoch, before.metadata.resourceVersion!) : 0;
    const beside = before && this.beside?.(id, before, resource);
    const { name, namespace } = resource.metadata;
    const key = storeKey(type, name, namespace);
    const value = encodeResource(type, resource, key, this.#secrets);
    const claims = await claimsOf(this.#store, id, { key, before, after: resource });
    let written: number;
    try {
      written = await this.#store.txn(
        [...this.#compares({ key, revision }, options), ...claims.compares],
        [{ type: 'put', key, value }, ...claims.ops, ...(beside?.ops ?? [])],
      );
    } catch (error) {
      if (!isConflict(error)) throw error;
      // The store names the key that was not as it should be.
      const changed = error.details?.name;
      if (revision === 0 && changed === key) throw alreadyExists(type.id, name);
      if (changed === claims.wanted) throw valueTaken(type, uniqueValue(type, resource) ?? '');
      throw conflict(type.id, name);
    }
    const resourceVersion = formatVersion(this.#store.epoch, written);
    const seen = { ...resource, metadata: { ...resource.metadata, resourceVersion } };
    beside?.done?.();
    this.onWrite?.(id, seen, false);
    return seen;
  }

  async #remove<Id extends TypeId>(id: Id, resource: TypedResource<Id>, options: WriteOptions): Promise<void> {
    const key = storeKey(types[id], resource.metadata.name, resource.metadata.namespace);
    const revision = parseVersion(this.#store.epoch, resource.metadata.resourceVersion!);
    const beside = this.beside?.(id, resource, undefined);
    const claims = await claimsOf(this.#store, id, { key, before: resource });
    const ops: Op[] = [{ type: 'delete', key }, ...claims.ops, ...(beside?.ops ?? [])];
    const removed = await this.#store.txn([...this.#compares({ key, revision }, options), ...claims.compares], ops);
    beside?.done?.();
    const resourceVersion = formatVersion(this.#store.epoch, removed);
    this.onWrite?.(id, { ...resource, metadata: { ...resource.metadata, resourceVersion } }, true);
  }

  #compares(own: Compare, { compares = [] }: WriteOptions): Compare[] {
    return [own, ...this.#held(), ...compares];
  }

  #decode<Id extends TypeId>(id: Id, entry: Entry): TypedResource<Id> {
    return decodeResource<TypedResource<Id>>(types[id], entry, this.#store.epoch, this.#secrets);
  }

  #timestamp(): string {
    return `${this.#now().toISOString().slice(0, 19)}Z`;
  }
}

/** What counts for generation: everything but metadata and status. */
function desired(resource: { readonly metadata: unknown; readonly status?: unknown }): string {
  const { metadata: _, status: __, ...rest } = resource;
  return JSON.stringify(rest);
}

function sameContent(a: { readonly metadata: object }, b: { readonly metadata: object }): boolean {
  const plain = (resource: { readonly metadata: object }) =>
    JSON.stringify({ ...resource, metadata: { ...resource.metadata, resourceVersion: undefined } });
  return plain(a) === plain(b);
}
