/** HubRealm: the server's own `/v1`: its own resources, laid over the local cluster's where there is one that can be reached. */
import type { Method as HttpMethod } from '@drover/kube';
import type { Query } from './cache/sql.ts';
import type { Rights } from './rbac.ts';
import type { ListOptions, Place, Realm, Write } from './realm.ts';
import type { SteveType } from './steve-type.ts';
import type { StoreRealm } from './store-realm.ts';

export class HubRealm implements Realm {
  readonly #own: StoreRealm;
  readonly #local: Realm | undefined;

  constructor(own: StoreRealm, local: Realm | undefined) {
    this.#own = own;
    this.#local = local;
  }

  async types(): Promise<ReadonlyMap<string, SteveType>> {
    const own = await this.#own.types();
    if (!this.#local) return own;
    // While the local cluster is away the rest goes on.
    const others = await this.#local.types().catch(() => new Map<string, SteveType>());
    return new Map([...others, ...own]);
  }

  async rights(): Promise<Rights> {
    const [own, local] = [this.#own.ownRights(), await this.#local?.rights().catch(() => undefined)];
    const mine = new Set([...(await this.#own.types()).values()].map(({ group, resource }) => `${group}/${resource}`));
    const of = ({ group, resource }: { group: string; resource: string }) =>
      mine.has(`${group}/${resource}`) ? own : (local ?? own);
    return {
      reach: type => of(type).reach(type),
      may: (verb, type, place) => of(type).may(verb, type, place),
      mayAny: (verb, type) => of(type).mayAny(verb, type),
    };
  }

  async columns(type: SteveType) {
    return (await this.#of(type)).columns(type);
  }

  async list(type: SteveType, query: Query, options: ListOptions) {
    return (await this.#of(type)).list(type, query, options);
  }

  async get(type: SteveType, place: Place, options: { readonly managed: boolean }) {
    return (await this.#of(type)).get(type, place, options);
  }

  async write(method: HttpMethod, type: SteveType, place: Place, write: Write) {
    return (await this.#of(type)).write(method, type, place, write);
  }

  sources(type: SteveType) {
    return this.#isOwn(type) ? this.#own.sources(type) : undefined;
  }

  async counts(type: SteveType) {
    return (await this.#of(type)).counts(type);
  }

  async definitions(type: SteveType) {
    return (await this.#of(type)).definitions(type);
  }

  async feed(type: SteveType) {
    return (await this.#of(type)).feed(type);
  }

  async namespacesOf(projects: readonly string[]) {
    return this.#local ? this.#local.namespacesOf(projects) : [];
  }

  onRights(listener: () => void): () => void {
    const stops = [this.#own.onRights(listener), this.#local?.onRights(listener)];
    return () => {
      for (const stop of stops) stop?.();
    };
  }

  links(type: SteveType, place: Place): Readonly<Record<string, string>> {
    return this.#isOwn(type) ? this.#own.links(type, place) : {};
  }

  view(type: SteveType, place: Place): string {
    return this.#isOwn(type) || !this.#local ? this.#own.view(type, place) : this.#local.view(type, place);
  }

  #isOwn({ group }: SteveType): boolean {
    return group === ownGroup;
  }

  async #of(type: SteveType): Promise<Realm> {
    return this.#isOwn(type) && (await this.#own.types()).has(type.id) ? this.#own : (this.#local ?? this.#own);
  }
}

const ownGroup = 'management.cattle.io';
