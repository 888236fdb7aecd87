/**
 * StoreRealm: the server's own resources as one person sees them under `/v1`. What he sees and may do is decided by the same rules as in
 * v3, and writes go through v3's: there is one way to check and store them.
 */
import { apiVersionOf, parseV3Id, type TypedResource, type TypeId, toV3, types, v3Id } from '@drover/api';
import { notFound, StatusError } from '@drover/base';
import type { Method as HttpMethod } from '@drover/kube';
import type { ApiDeps, ApiView, ServedType } from '../api/behaviour.ts';
import { createOne, deleteOne, isVisible, updateOne } from '../api/crud.ts';
import { findType as findServed } from '../api/registry.ts';
import { shellLink } from '../cluster-shells/shell-link.ts';
import type { Caller } from '../http/exchange.ts';
import type { Source } from '../resources/index.ts';
import type { Column } from './cache/ages.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import type { StateCount } from './cache/index-db.ts';
import { joinPieces } from './cache/row.ts';
import type { Query, Reach } from './cache/sql.ts';
import { mergePatch } from './merge-patch.ts';
import type { Rights } from './rbac.ts';
import type { Feed, ListAnswer, ListOptions, Place, Realm, Shown, Write, Written } from './realm.ts';
import type { Method, SteveType } from './steve-type.ts';
import { bareSetting, idOf, StoreCache } from './store-cache.ts';

type Any = TypedResource<TypeId>;

const group = 'management.cattle.io';
const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
/** Types that everybody may list, and sees his own part of. */
const open = new Set<TypeId>(['cluster', 'project', 'setting', 'user']);
/** What is changed by other doors only: methods that are refused here whatever somebody's rights. */
const writes: readonly Method[] = ['POST', 'PUT', 'PATCH', 'DELETE'];
const blocked: Partial<Record<TypeId, readonly Method[]>> = {
  cluster: writes,
  clusterRegistrationToken: writes,
  feature: ['POST', 'PATCH', 'DELETE'],
  node: writes,
  preference: ['GET', ...writes],
  roleTemplate: writes,
  setting: ['POST', 'PATCH', 'DELETE'],
  token: ['GET', ...writes],
};

interface Own {
  readonly id: TypeId;
  readonly served: ServedType;
  readonly type: SteveType;
  readonly cache: StoreCache;
}

/** All types of the server's own, with what is kept of them; one for the server. */
export class StoreTypes {
  readonly types: ReadonlyMap<string, SteveType>;
  readonly #own = new Map<string, Own>();

  constructor({ deps, worker }: { readonly deps: ApiDeps; readonly worker: CacheWorker }) {
    for (const [id, declaration] of Object.entries(types) as [TypeId, (typeof types)[TypeId]][]) {
      const served = findServed(declaration.id);
      if (declaration.group !== group || served?.stored !== id) continue;
      const { kind, resource, version, scope } = declaration;
      const namespaced = scope === 'namespaced';
      const type: SteveType = {
        id: `${group}.${kind}`.toLowerCase(),
        plural: `${group}.${resource}`,
        group,
        version,
        kind,
        resource,
        namespaced,
        verbs,
        ref: { apiVersion: apiVersionOf(declaration), resource, kind, namespaced },
        ...(blocked[id] ? { blocked: blocked[id] } : {}),
      };
      const cache = new StoreCache({ deps, worker, id, declaration, log: deps.log });
      this.#own.set(type.id, { id, served, type, cache });
    }
    this.types = new Map([...this.#own.values()].map(({ type }) => [type.id, type]));
  }

  of(type: Pick<SteveType, 'id'>): Own {
    const own = this.#own.get(type.id);
    if (!own) throw notFound('type', type.id);
    return own;
  }

  /** By the group and resource that rights are asked about. */
  find({ group: of, resource }: { readonly group: string; readonly resource: string }): Own | undefined {
    if (of !== group) return undefined;
    return [...this.#own.values()].find(({ type }) => type.resource === resource);
  }

  stop(): void {
    for (const { cache } of this.#own.values()) cache.stop();
  }
}

export interface StoreRealmParts {
  readonly deps: ApiDeps;
  readonly worker: CacheWorker;
  readonly own: StoreTypes;
  readonly caller: Caller;
  readonly base: string;
}

const rightsTypes = [
  'clusterRoleTemplateBinding',
  'projectRoleTemplateBinding',
  'globalRoleBinding',
  'globalRole',
  'roleTemplate',
] as const;
const settleMs = 1000;

export class StoreRealm implements Realm {
  readonly #parts: StoreRealmParts;
  readonly #view: ApiView;

  constructor(parts: StoreRealmParts) {
    this.#parts = parts;
    this.#view = { deps: parts.deps, caller: parts.caller, base: parts.base, versionPath: '/v3' };
  }

  async types(): Promise<ReadonlyMap<string, SteveType>> {
    return this.#parts.own.types;
  }

  async rights(): Promise<Rights> {
    return this.ownRights();
  }

  ownRights(): Rights {
    const { own, deps, caller } = this.#parts;
    const { access } = deps.auth;
    const isRead = (verb: string) => verb === 'get' || verb === 'list' || verb === 'watch';
    const may: Rights['may'] = (verb, of, place = {}) => {
      const found = own.find(of);
      if (!found) return false;
      const namespace = place.namespace || undefined;
      if (isRead(verb) && place.name !== undefined)
        return this.#sees(found, this.#resource(found, place.name, namespace));
      return access.may(caller, verb === 'patch' ? 'update' : verb, found.id, { namespace, name: place.name });
    };
    return {
      reach: of => this.#reach(own.find(of)),
      may,
      mayAny: (verb, of) => {
        const found = own.find(of);
        if (!found) return false;
        if (isRead(verb) && open.has(found.id)) return true;
        if (verb === 'create' && this.#mayCreateSomewhere(found)) return true;
        return this.#all(found).some(({ metadata: { name, namespace } }) => may(verb, of, { name, namespace }));
      },
    };
  }

  async columns(): Promise<readonly Column[]> {
    return [{ name: 'Name', type: 'string', format: 'name', description: 'The name of the resource', priority: 0 }];
  }

  async list(type: SteveType, query: Query, options: ListOptions): Promise<ListAnswer> {
    const found = this.#parts.own.of(type);
    await found.cache.ready();
    if (options.revision !== undefined && BigInt(found.cache.version) < options.revision)
      throw new StatusError(400, 'BadRequest', 'unknown revision', { details: { code: 'unknown revision' } });
    const asked = { ...query, reach: this.#reach(found) };
    const answer = await this.#parts.worker.calls.query(found.cache.table, asked, { managed: options.managed });
    return { ...answer, rows: answer.rows.map(row => this.#withActions(found, row)), version: found.cache.version };
  }

  async get(type: SteveType, { namespace, name }: Place): Promise<Shown> {
    const found = this.#parts.own.of(type);
    const resource = this.#resource(found, name, namespace || undefined);
    if (!resource || !this.#sees(found, resource)) throw notFound(type.id, name);
    return this.#show(found, resource);
  }

  async write(
    method: HttpMethod,
    type: SteveType,
    place: Place,
    { body, contentType, exchange }: Write,
  ): Promise<Written> {
    const found = this.#parts.own.of(type);
    const { declaration } = found.served;
    const request = { ...this.#view, exchange: exchange! };
    const id = v3Id({ name: place.name, ...(place.namespace ? { namespace: place.namespace } : {}) });
    if (method === 'DELETE') {
      await deleteOne(request, found.served, id);
      const left = this.#resource(found, place.name, place.namespace || undefined);
      return { ...(left ? { shown: this.#show(found, left) } : {}), warnings: [] };
    }
    if (method === 'POST') {
      const made = await createOne(request, found.served, toV3(declaration, body as Any));
      const at = parseV3Id(declaration, String(made['id']))!;
      return { shown: this.#show(found, this.#resource(found, at.name, at.namespace)!), warnings: [] };
    }
    const seen = this.#resource(found, place.name, place.namespace || undefined);
    if (!seen || !this.#sees(found, seen)) throw notFound(type.id, place.name);
    const wanted = method === 'PATCH' ? mergePatch(seen, String(body), contentType ?? '') : (body as Any);
    const { resourceVersion } = (wanted as Any).metadata ?? {};
    if (resourceVersion && seen.metadata.resourceVersion && resourceVersion !== seen.metadata.resourceVersion)
      throw new StatusError(409, 'Conflict', `${type.id} "${place.name}" has changed: read it again`);
    await updateOne(request, found.served, { id, body: toV3(declaration, wanted as Any), replace: method === 'PUT' });
    return { shown: this.#show(found, this.#resource(found, place.name, place.namespace || undefined)!), warnings: [] };
  }

  /** What it is made of, and what decides who sees it: his grants, and what those are about. */
  sources(type: SteveType): readonly Source[] | undefined {
    const { own, deps } = this.#parts;
    const found = own.types.has(type.id) ? own.of(type) : undefined;
    if (!found?.served.behaviour.repeatable) return undefined;
    const { cluster, feature, project, setting } = deps.caches;
    return [deps.caches[found.id], deps.auth.access.grants, cluster, feature, project, setting];
  }

  async counts(type: SteveType): Promise<readonly StateCount[]> {
    const found = this.#parts.own.of(type);
    await found.cache.ready();
    return this.#parts.worker.calls.counts(found.cache.table, { reach: this.#reach(found) });
  }

  async feed(type: SteveType): Promise<Feed> {
    const found = this.#parts.own.of(type);
    const { cache } = found;
    await cache.ready();
    return {
      sees: event => this.#sees(found, cache.resourceOf(event)),
      reachKey: () => JSON.stringify(this.#reach(found)),
      subscribe: listener => cache.subscribe(listener),
      after: version => cache.ring.after(version),
      get version() {
        return cache.version;
      },
    };
  }

  async namespacesOf(): Promise<readonly string[]> {
    return [];
  }

  onRights(listener: () => void): () => void {
    const stop = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let begun = false;
    // Bindings change many at a time, and looking at all that somebody may see takes its time.
    const soon = () => {
      if (begun)
        timer ??= setTimeout(() => {
          timer = undefined;
          listener();
        }, settleMs).unref();
    };
    for (const id of rightsTypes) this.#parts.deps.caches[id].subscribe(soon, stop.signal);
    begun = true;
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }

  /** `/v3/schemas` and the Kubernetes API have them, in forms of their own. */
  async definitions(): Promise<undefined> {
    return undefined;
  }

  /** A cluster that is shown to somebody is one that he may reach. */
  links({ id }: SteveType, { name }: Place): Readonly<Record<string, string>> {
    const { deps, base } = this.#parts;
    return id === `${group}.cluster` ? shellLink(deps.caches, base, name) : {};
  }

  view(type: SteveType, { namespace, name }: Place): string {
    return `/v1/${type.plural}/${namespace ? `${namespace}/` : ''}${name}`;
  }

  #all({ id }: Own): Any[] {
    const stored = [...(this.#parts.deps.caches[id].all() as IterableIterator<Any>)];
    if (id !== 'setting') return stored;
    const names = new Set(stored.map(({ metadata }) => metadata.name));
    const { settings } = this.#parts.deps;
    return [
      ...stored,
      ...settings
        .all()
        .filter(({ name }) => !names.has(name))
        .map(({ name }) => bareSetting(name)),
    ];
  }

  #resource({ id }: Own, name: string, namespace: string | undefined): Any | undefined {
    const { caches, settings } = this.#parts.deps;
    const found = caches[id].get(name, namespace) as Any | undefined;
    return found ?? (id === 'setting' && settings.has(name) ? bareSetting(name) : undefined);
  }

  #sees({ id, served }: Own, resource: Any | undefined): boolean {
    if (!resource) return false;
    if (id === 'setting' && this.#parts.deps.settings.isPublic(resource.metadata.name)) return true;
    return isVisible(this.#view, served, resource);
  }

  #reach(found: Own | undefined): Reach {
    const ids = found
      ? this.#all(found)
          .filter(resource => this.#sees(found, resource))
          .map(idOf)
      : [];
    return { namespaces: [], names: [], ids };
  }

  #mayCreateSomewhere({ id, type }: Own): boolean {
    const { deps, caller } = this.#parts;
    if (deps.auth.access.may(caller, 'create', id)) return true;
    if (!type.namespaced) return false;
    return [...deps.caches.cluster.all()].some(({ metadata }) =>
      deps.auth.access.may(caller, 'create', id, { namespace: metadata.name }),
    );
  }

  #show(found: Own, resource: Any): Shown {
    const row = found.cache.rowOf(resource);
    const text = joinPieces(row, found.cache.type, { now: Date.now(), managed: false });
    return this.#withActions(found, { id: row.id, namespace: row.namespace, name: row.name, text });
  }

  /** What a cluster can be asked to do is v3's. */
  #withActions({ id }: Own, shown: Shown): Shown {
    if (id !== 'cluster') return shown;
    const url = `${this.#parts.base}/v3/clusters/${shown.name}?action=generateKubeconfig`;
    return { ...shown, text: `"actions":${JSON.stringify({ generateKubeconfig: url })},${shown.text}` };
  }
}
