/**
 * ClusterRealm: one cluster as one person sees it. Lists come from what the server keeps, cut down to what the cluster's own roles let
 * him see; single objects and all writes go to the cluster as him, and it decides.
 */
import { randomUUID } from 'node:crypto';
import { forbidden, isUnavailable, StatusError, sleep, tooLarge } from '@drover/base';
import { type Method as HttpMethod, resourcePath } from '@drover/kube';
import type { Identity } from '../auth/index.ts';
import type { Column } from './cache/ages.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import type { Found, StateCount } from './cache/index-db.ts';
import { joinPieces, makeRow, type Seen } from './cache/row.ts';
import type { Query, Reach } from './cache/sql.ts';
import type { ClusterHold } from './cluster-hold.ts';
import { definitionsIn, type SchemaDefinition } from './definitions.ts';
import { isSeen } from './frames.ts';
import type { Rights } from './rbac.ts';
import type { Feed, ListAnswer, ListOptions, Place, Realm, Shown, Write, Written } from './realm.ts';
import type { SteveType } from './steve-type.ts';
import { isSecret, type TypeCache } from './type-cache.ts';

/** How long the cluster's word on one person's rights holds. */
const agreedMs = 60_000;
const agreed = new WeakMap<ClusterHold, Map<string, { readonly at: number; readonly agrees: Promise<boolean> }>>();
/** What is read for one person's list where the server's own copy can't be used. */
const ownBytes = 64 << 20;
const namespaceId = 'namespace';
const projectLabel = 'field.cattle.io/projectId';

/** Where the cluster alone knows: everything is offered, and it refuses what he may not. */
const unknownRights: Rights = { reach: () => 'all', may: () => true, mayAny: () => true };

export class ClusterRealm implements Realm {
  readonly #hold: ClusterHold;
  readonly #worker: CacheWorker;
  readonly #identity: Identity;

  constructor(hold: ClusterHold, worker: CacheWorker, identity: Identity) {
    this.#hold = hold;
    this.#worker = worker;
    this.#identity = identity;
  }

  types(): Promise<ReadonlyMap<string, SteveType>> {
    return this.#hold.types();
  }

  async rights(): Promise<Rights> {
    return (await this.#knows()) ? this.#hold.rbac.rightsOf(this.#identity) : unknownRights;
  }

  columns(type: SteveType): Promise<readonly Column[] | undefined> {
    return this.#hold.columnsOf(type);
  }

  async list(type: SteveType, query: Query, options: ListOptions): Promise<ListAnswer> {
    if (!(await this.#knows())) return this.#listAsUser(type, query, options);
    const reach = this.#hold.rbac.rightsOf(this.#identity).reach(type);
    const cache = this.#hold.cacheOf(type);
    try {
      await cache.ready({ early: options.early });
    } catch (error) {
      // Too much to be kept, or not the server's to read: then the cluster is asked as him.
      if (error instanceof StatusError && [403, 413].includes(error.status))
        return this.#listAsUser(type, query, options);
      throw error;
    }
    const { reading } = cache;
    if (!reading) await requireRevision(cache, options.revision);
    const found = await this.#worker.calls.query(cache.table, { ...query, reach }, { managed: options.managed });
    const isWhole = !isSecret(type) || options.metadataOnly || found.rows.length === 0;
    const shown = isWhole ? found : await this.#withBodies(type, found, { reach, ...options });
    return { ...shown, ...(reading ? { reading, version: '' } : { version: cache.version }) };
  }

  async get(type: SteveType, place: Place, options: { readonly managed: boolean }): Promise<Shown> {
    const path = resourcePath(type.ref, place);
    const { rows, columns = [] } = await this.#hold.calls.table(this.#identity, 'GET', path);
    return show(type, rows[0]!, { columns, ...options });
  }

  async write(
    method: HttpMethod,
    type: SteveType,
    { namespace, name }: Place,
    { body, contentType, query }: Write,
  ): Promise<Written> {
    const path = resourcePath(type.ref, { namespace, name: method === 'POST' ? undefined : name });
    if (method === 'DELETE') {
      const { bytes, warnings } = await this.#hold.calls.ask(this.#identity, method, path, { query });
      const left = JSON.parse(Buffer.from(bytes).toString('utf8')) as Seen['object'];
      if (left.kind === 'Status' || !left.metadata?.deletionTimestamp) return { warnings };
      return { shown: show(type, { object: left }, { columns: [], managed: true }), warnings };
    }
    const {
      rows,
      columns = [],
      warnings,
    } = await this.#hold.calls.table(this.#identity, method, path, { query, body, contentType });
    return { shown: show(type, rows[0]!, { columns, managed: true }), warnings };
  }

  async counts(type: SteveType): Promise<readonly StateCount[] | undefined> {
    if (!(await this.#knows())) return undefined;
    const reach = this.#hold.rbac.rightsOf(this.#identity).reach(type);
    const cache = this.#hold.cacheOf(type);
    await cache.ready();
    return this.#worker.calls.counts(cache.table, { reach });
  }

  definitions(type: SteveType): Promise<SchemaDefinition | undefined> {
    return definitionsIn(this.#hold, type, path => this.#hold.calls.json(this.#identity, 'GET', path));
  }

  async feed(type: SteveType): Promise<Feed> {
    if (!(await this.#knowsSoon())) throw forbidden('watch not allowed: this cluster decides by more than its roles');
    const cache = this.#hold.cacheOf(type);
    await cache.ready();
    const reach = () => this.#hold.rbac.rightsOf(this.#identity).reach(type);
    return {
      sees: event => isSeen(reach(), event),
      reachKey: () => JSON.stringify(reach()),
      subscribe: listener => cache.subscribe(listener),
      after: version => cache.ring.after(version),
      get version() {
        return cache.version;
      },
    };
  }

  async namespacesOf(projects: readonly string[]): Promise<readonly string[]> {
    const type = (await this.types()).get(namespaceId);
    if (!type) return [];
    const cache = this.#hold.cacheOf(type);
    await cache.ready();
    const field = `metadata.labels[${projectLabel}]`;
    const filters = [[{ key: field, label: projectLabel, op: 'in' as const, values: projects }]];
    const query: Query = { reach: 'all', filters, sort: [], summary: [], summaryOnly: false, summaryNamespaced: false };
    return (await this.#worker.calls.query(cache.table, query, { managed: false })).rows.map(row => row.name);
  }

  onRights(listener: () => void): () => void {
    return this.#hold.rbac.onChange(listener);
  }

  view(type: SteveType, place: Place): string {
    return `/k8s/clusters/${this.#hold.clusterId}${resourcePath(type.ref, place)}`;
  }

  /** The same, with some patience: a client that is refused a watch never asks for it again, and a binding may be on its way here. */
  async #knowsSoon(): Promise<boolean> {
    const end = performance.now() + patienceMs;
    for (;;) {
      if (await this.#knows()) return true;
      if (performance.now() > end) return false;
      await sleep(500);
    }
  }

  /** Whether this person's rights can be told from the cluster's roles. */
  async #knows(): Promise<boolean> {
    const hold = this.#hold;
    await hold.rbac.ready();
    let known = agreed.get(hold);
    if (!known) agreed.set(hold, (known = new Map()));
    const key = JSON.stringify([this.#identity.userId, this.#identity.groups]);
    const before = known.get(key);
    if (before && performance.now() - before.at < agreedMs) return before.agrees;
    const asUser = (method: 'POST', path: string, body: unknown) =>
      hold.calls.json(this.#identity, method, path, { body });
    const agrees = hold.rbac.agrees(asUser, this.#identity);
    if (known.size >= 1000) known.delete(known.keys().next().value!);
    const entry = { at: performance.now(), agrees };
    known.set(key, entry);
    const forget = () => known.get(key) === entry && known.delete(key);
    // One who disagrees is asked again soon: a binding may just not have come here yet.
    agrees.then(yes => yes || setTimeout(forget, 2000).unref(), forget);
    return agrees;
  }

  /** The list as the cluster gives it to him, searched and sorted like any other; nothing of it is kept. */
  async #listAsUser(type: SteveType, query: Query, options: ListOptions): Promise<ListAnswer> {
    const { calls } = this.#worker;
    const table = `own/${randomUUID()}`;
    await calls.open(table, { apiVersion: type.ref.apiVersion, kind: type.kind, columns: [], withoutBodies: false });
    try {
      const path = resourcePath(type.ref, { namespace: query.namespace });
      let next: string | undefined;
      let version = '';
      do {
        const call = {
          query: { limit: 500, includeObject: 'Object', ...(next ? { continue: next } : {}) },
          accept: listAccept,
        };
        const { bytes } = await this.#hold.calls.ask(this.#identity, 'GET', path, call);
        const page = await calls.page(table, bytes, { generation: 1, announce: false });
        if (page.bytes > ownBytes)
          throw tooLarge(`these are more than can be listed at once; list ${type.plural} of one namespace`);
        ({ next, version } = { next: page.next, version: page.version });
      } while (next !== undefined);
      return { ...(await calls.query(table, { ...query, reach: 'all' }, { managed: options.managed })), version };
    } finally {
      await calls.drop(table);
    }
  }

  /** Puts the bodies in, which only the cluster has: asked for as him. */
  async #withBodies(
    type: SteveType,
    found: Found,
    { reach, managed }: { reach: Reach; managed: boolean },
  ): Promise<Found> {
    const bodies = new Map<string, Shown>();
    const { rows } = found;
    const keep = async (path: string) => {
      const { rows: seen, columns = [] } = await this.#hold.calls.table(this.#identity, 'GET', path);
      for (const one of seen) {
        const shown = show(type, one, { columns, managed });
        bodies.set(shown.id, shown);
      }
    };
    if (rows.length > fewSecrets && reach === 'all') await keep(resourcePath(type.ref));
    else if (rows.length > fewSecrets && reach !== 'all') {
      for (const namespace of new Set(rows.map(row => row.namespace)))
        if (reach.namespaces.includes(namespace)) await keep(resourcePath(type.ref, { namespace }));
    }
    const missing = rows.filter(row => !bodies.has(row.id));
    for (let at = 0; at < missing.length; at += together) {
      const some = missing.slice(at, at + together);
      await Promise.all(some.map(row => keep(resourcePath(type.ref, row)).catch(onlyIfAway)));
    }
    return { ...found, rows: rows.map(row => bodies.get(row.id) ?? row) };
  }
}

/** Longer than it takes until one who disagrees is asked again, twice. */
const patienceMs = 5000;
const listAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const fewSecrets = 50;
const together = 10;

/** One that is gone by now, or that he may list but not get, is shown without its body. */
function onlyIfAway(error: unknown): void {
  if (!(error instanceof StatusError) || isUnavailable(error)) throw error;
}

function show(
  type: SteveType,
  seen: Seen,
  { columns, managed }: { readonly columns: readonly Column[]; readonly managed: boolean },
): Shown {
  const rowType = { apiVersion: type.ref.apiVersion, kind: type.kind, columns, withoutBodies: false };
  const row = makeRow(seen, rowType, Date.now());
  return {
    id: row.id,
    namespace: row.namespace,
    name: row.name,
    text: joinPieces(row, rowType, { now: Date.now(), managed }),
  };
}

async function requireRevision(cache: TypeCache, revision: bigint | undefined): Promise<void> {
  if (revision === undefined || BigInt(cache.version || '0') >= revision) return;
  await cache.reached(revision).catch(() => {
    throw new StatusError(400, 'BadRequest', 'unknown revision', { details: { code: 'unknown revision' } });
  });
}
