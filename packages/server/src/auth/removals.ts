/**
 * Removals: who has lost something here that a cluster may still grant. Notes are written with the change itself and stand in the store
 * until every cluster concerned has confirmed, so that they outlive restarts, and hold on every replica. In memory there is seldom one.
 */
import { randomUUID } from 'node:crypto';
import type { TypedResource, TypeId } from '@drover/api';
import { backoffMs, type Log, messageOf, sleep } from '@drover/base';
import type { Compare, Op, Store, StoreEvent } from '@drover/store';
import type { Caches, Resources } from '../resources/index.ts';
import { indexBindings } from './grants.ts';
import { keepsOut, noteOf, type RemovalNote } from './removal-notes.ts';

/** What a cluster's grants are kept in step by; each confirms for itself. */
export const parts = ['members', 'projects'] as const;
export type Part = (typeof parts)[number];

const notePrefix = '/rights/removals/';
const confirmedPrefix = '/rights/confirmed/';
const rightsPrefix = '/rights/';

export interface OpenNote {
  readonly id: string;
  readonly note: RemovalNote;
}

/** Told of clusters in which something is open since, confirmed, or over; with the note where it is new. */
export type RemovalListener = (clusterIds: readonly string[], opened?: RemovalNote) => void;

/** Every namespace that anything is open about. */
export const anyNamespace = '*';

/** Opens them over caches that are in step; ends with the signal. From then on every change of these resources is noted. */
export async function openRemovals(deps: {
  readonly store: Store;
  readonly resources: Resources;
  readonly caches: Caches;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<Removals> {
  indexBindings(deps.caches);
  const removals = new Removals(deps.store, deps.caches);
  await removals.start(deps.log, deps.signal);
  deps.resources.beside = removals.beside;
  return removals;
}

export class Removals {
  readonly #store: Store;
  readonly #caches: Caches;
  readonly #notes = new Map<string, RemovalNote>();
  /** By cluster, so that a request costs nothing where nothing is open. */
  readonly #byCluster = new Map<string, Set<string>>();
  /** Ids confirmed, by `cluster/part`. */
  readonly #confirmed = new Map<string, ReadonlySet<string>>();
  readonly #listeners = new Set<RemovalListener>();

  constructor(store: Store, caches: Caches) {
    this.#store = store;
    this.#caches = caches;
  }

  /** The store's operations that note what a change takes away, and what to do once they are in. */
  readonly beside: NonNullable<Resources['beside']> = (id, before, after) => {
    const note = noteOf(this.#caches, id, { before, after });
    if (!note) return undefined;
    const noteId = randomUUID();
    return { ops: [putNote(noteId, note)], done: () => this.#add(noteId, note) };
  };

  /** Whether somebody is kept out of the cluster (of one namespace of it) for what he may still have there. */
  keepOut(clusterId: string, who: Omit<Parameters<typeof keepsOut>[2], 'clusterId'>, namespace?: string): boolean {
    for (const id of this.#byCluster.get(clusterId) ?? []) {
      const note = this.#notes.get(id);
      if (!note || this.#isConfirmed(id, clusterId)) continue;
      if (note.moved && namespace !== note.moved.namespace && namespace !== anyNamespace) continue;
      if (keepsOut(this.#caches, note, { ...who, clusterId })) return true;
    }
    return false;
  }

  /** Whether anything is open there; cheap. */
  isOpen(clusterId: string): boolean {
    return this.#byCluster.has(clusterId);
  }

  /** A namespace has left a project, as the cluster itself says. */
  async noteMoved(clusterId: string, projectId: string, moved: NonNullable<RemovalNote['moved']>): Promise<void> {
    const note = { clusters: [clusterId], projectId, had: [], moved };
    const id = randomUUID();
    await this.#store.txn([], [putNote(id, note)]);
    this.#add(id, note);
  }

  /** The notes that a plan made now will have made good there. */
  ready(clusterId: string, part: Part): OpenNote[] {
    const confirmed = this.#confirmed.get(`${clusterId}/${part}`);
    return [...(this.#byCluster.get(clusterId) ?? [])].flatMap(id => {
      const note = this.#notes.get(id);
      return note && !confirmed?.has(id) && this.#isKnown(note) ? [{ id, note }] : [];
    });
  }

  /** Says that the cluster no longer has what these took away; `compares` holds the writer to its claim on the cluster. */
  async confirm(
    clusterId: string,
    {
      part,
      notes,
      compares,
    }: { readonly part: Part; readonly notes: readonly OpenNote[]; readonly compares: readonly Compare[] },
  ): Promise<void> {
    if (notes.length === 0) return;
    const place = `${clusterId}/${part}`;
    const kept = [...(this.#confirmed.get(place) ?? [])].filter(id => this.#notes.has(id));
    const all = [...new Set([...kept, ...notes.map(({ id }) => id)])];
    await this.#store.txn(compares, [{ type: 'put', key: confirmedPrefix + place, value: JSON.stringify(all) }]);
    this.#setConfirmed(place, all);
    await this.#prune();
  }

  /** Ends with the signal. */
  onChange(listener: RemovalListener, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  /** Reads what stands, and follows it from then on until the signal aborts. */
  async start(log: Log, signal: AbortSignal): Promise<void> {
    const revision = await this.#read();
    this.#caches.cluster.subscribe(({ after }) => {
      if (!after) this.#prune().catch(() => undefined);
    }, signal);
    void this.#run(revision, log, signal);
  }

  async #run(revision: number, log: Log, signal: AbortSignal): Promise<void> {
    for (let failures = 0, after = revision; !signal.aborted; ) {
      try {
        for await (const event of this.#store.watch(rightsPrefix, { after, signal })) {
          failures = 0;
          this.#apply(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ reason: messageOf(error) }, 'the notes of removed rights can not be followed; reading anew');
        await sleep(backoffMs(failures++, { minMs: 50, maxMs: 5000 }), signal).catch(() => undefined);
        after = await this.#read().catch(() => after);
      }
    }
  }

  async #read(): Promise<number> {
    const { entries, revision } = await this.#store.list(rightsPrefix);
    const there = new Set(entries.map(({ key }) => key));
    for (const id of [...this.#notes.keys()]) if (!there.has(notePrefix + id)) this.#drop(id);
    for (const place of [...this.#confirmed.keys()])
      if (!there.has(confirmedPrefix + place)) this.#confirmed.delete(place);
    for (const { key, value } of entries) this.#put(key, value);
    this.#prune().catch(() => undefined);
    return revision;
  }

  #apply(event: StoreEvent): void {
    if (event.type === 'bookmark') return;
    if (event.type === 'put') {
      this.#put(event.entry.key, event.entry.value);
      // Another replica may have confirmed the last of it.
      if (event.entry.key.startsWith(confirmedPrefix)) this.#prune().catch(() => undefined);
    } else if (event.key.startsWith(notePrefix)) this.#drop(event.key.slice(notePrefix.length));
    else this.#confirmed.delete(event.key.slice(confirmedPrefix.length));
  }

  #put(key: string, value: string): void {
    if (key.startsWith(notePrefix)) this.#add(key.slice(notePrefix.length), JSON.parse(value) as RemovalNote);
    else this.#setConfirmed(key.slice(confirmedPrefix.length), JSON.parse(value) as string[]);
  }

  #add(id: string, note: RemovalNote): void {
    if (this.#notes.has(id)) return;
    this.#notes.set(id, note);
    for (const clusterId of note.clusters) {
      const ids = this.#byCluster.get(clusterId);
      if (ids) ids.add(id);
      else this.#byCluster.set(clusterId, new Set([id]));
    }
    this.#tell(note.clusters, note);
  }

  #drop(id: string): void {
    const note = this.#notes.get(id);
    if (!note) return;
    this.#notes.delete(id);
    for (const clusterId of note.clusters) {
      const ids = this.#byCluster.get(clusterId);
      ids?.delete(id);
      if (ids?.size === 0) this.#byCluster.delete(clusterId);
    }
    this.#tell(note.clusters);
  }

  #setConfirmed(place: string, ids: readonly string[]): void {
    this.#confirmed.set(place, new Set(ids));
    this.#tell([place.split('/')[0]!]);
  }

  #tell(clusterIds: readonly string[], opened?: RemovalNote): void {
    for (const listener of [...this.#listeners]) listener(clusterIds, opened);
  }

  #isConfirmed(id: string, clusterId: string): boolean {
    return parts.every(part => this.#confirmed.get(`${clusterId}/${part}`)?.has(id));
  }

  /** Whether what is known here is as the change left it. */
  #isKnown({ cause }: RemovalNote): boolean {
    if (!cause) return true;
    const seen = this.#caches[cause.type].byKey(cause.key) as TypedResource<TypeId> | undefined;
    return seen?.metadata.resourceVersion !== cause.version;
  }

  /** Takes away the notes that every cluster has made good, and what was said about notes that are gone. */
  async #prune(): Promise<void> {
    const over = [...this.#notes].filter(([id, { clusters }]) =>
      clusters.every(clusterId => !this.#caches.cluster.get(clusterId) || this.#isConfirmed(id, clusterId)),
    );
    if (over.length === 0) return;
    for (let at = 0; at < over.length; at += atOnce)
      await this.#store.txn(
        [],
        over.slice(at, at + atOnce).map(([id]) => ({ type: 'delete', key: notePrefix + id }) as const),
      );
    for (const [id] of over) this.#drop(id);
  }
}

const atOnce = 100;

const putNote = (id: string, note: RemovalNote): Op => ({
  type: 'put',
  key: notePrefix + id,
  value: JSON.stringify(note),
});
