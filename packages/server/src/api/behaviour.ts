/**
 * Behaviour: what a type does beyond the rules that hold for all. A file per type gives one; a type without keeps to the
 * rules: listed from the cache, created, changed and deleted in the store.
 */
import type { TypeDeclaration, TypedResource, TypeId, V3Data } from '@drover/api';
import type { Log, StatusError } from '@drover/base';
import type { Auth } from '../auth/index.ts';
import type { ClusterClients } from '../clusters/clients.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Caller, Exchange } from '../http/exchange.ts';
import type { AgentArchives } from '../provisioning/agent-archives.ts';
import type { Caches, Resources } from '../resources/index.ts';
import type { Settings } from '../settings.ts';
import type { Rights } from '../steve/rbac.ts';

export interface ApiDeps {
  readonly resources: Resources;
  readonly caches: Caches;
  readonly auth: Auth;
  readonly settings: Settings;
  readonly upstreams: Upstreams;
  /** Clients of clusters for what users ask for; the controllers have others. */
  readonly clients: Pick<ClusterClients, 'get'>;
  /** What makes nodes of hosts; absent where this server makes no clusters. */
  readonly hosts?: { readonly archives: AgentArchives; readonly serverKey: string };
  readonly log: Log;
}

/** Who looks at the API, and how he came: all that showing a resource needs. */
export interface ApiView {
  readonly deps: ApiDeps;
  readonly caller: Caller;
  /** `https://host` as the client reaches this server. */
  readonly base: string;
  /** The context's collection path, `/v3` or `/v3/cluster/<id>`. */
  readonly versionPath: string;
  readonly context?: { readonly type: 'cluster' | 'project'; readonly id: string };
  /** The caller's rights in the context's cluster by its own roles; undefined where they are not known, and the cluster alone can tell. */
  readonly inCluster?: Pick<Rights, 'may'>;
}

/** One request to the API by a signed-in caller. */
export interface ApiRequest extends ApiView {
  readonly exchange: Exchange;
}

/** A v3 resource whole: data, links and actions. */
export type V3Resource = V3Data & { links?: Record<string, string>; actions?: Record<string, string> };

/** An action answers a v3 body, or undefined for an empty 200; `handled` when it has answered by itself. */
export type ActionAnswer = V3Data | undefined | 'handled';

export interface Behaviour<R = never> {
  /**
   * Says that lists of it are the same as long as nothing changed that they were made of: whatever is looked at for them is a Source,
   * and of the caller nothing but who he is and what he may. A clock or the caller's token are not.
   */
  repeatable?: true;
  /** Whether the caller may see it at all; default: Access says list or get. */
  visible?(request: ApiView, resource: R): boolean;
  /** Takes the place of the cache for types that are not stored. */
  source?: {
    list(request: ApiView): Promise<V3Data[]> | V3Data[];
    get(request: ApiView, id: string): Promise<V3Data> | V3Data;
    update?(request: ApiRequest, id: string, input: V3Data): Promise<V3Data>;
    remove?(request: ApiRequest, id: string): Promise<void>;
  };
  /** Changes the data as shown: adds what is computed, takes out what this caller may not see. */
  show?(request: ApiView, data: V3Data, resource: R): V3Data;
  /** Takes out links, adds some. */
  links?(request: ApiView, links: Record<string, string>, data: V3Data): Record<string, string>;
  /** What a link of a resource leads to, by the link's name; what is not here is not found. */
  followLinks?: Readonly<Record<string, (request: ApiRequest, id: string) => Promise<ActionAnswer>>>;
  /** Checks and completes input before it is stored; throws what is wrong. */
  prepareCreate?(request: ApiRequest, input: V3Data): Promise<V3Data> | V3Data;
  /** Looks at what was stored among all that is there; what it throws is answered, and the resource taken back. */
  afterCreate?(request: ApiRequest, resource: R): Promise<void>;
  /** Takes the place of storing. Answers the v3 data. */
  create?(request: ApiRequest, input: V3Data): Promise<V3Data>;
  /** Default: Access says create in the namespace that it will be in. */
  mayCreate?(request: ApiRequest, input: V3Data): boolean;
  /**
   * Whether his rights let the caller: what the handlers and the links ask. Default: Access says update, or delete, of this one. Types that are
   * not stored are asked with the v3 data, and refuse by themselves what this says he may not.
   */
  mayUpdate?(request: ApiView, resource: R): boolean;
  mayDelete?(request: ApiView, resource: R): boolean;
  /** What stands against changing or deleting this one, besides rights over its type: who tries is told, and there is no link for it. */
  objections?: {
    readonly update?: (request: ApiView, resource: R) => (() => StatusError) | undefined;
    readonly delete?: (request: ApiView, resource: R) => (() => StatusError) | undefined;
  };
  /** `replace` says that what is not sent goes. */
  prepareUpdate?(
    request: ApiRequest,
    input: V3Data,
    resource: R,
    options?: { readonly replace: boolean },
  ): Promise<V3Data> | V3Data;
  update?(request: ApiRequest, resource: R, input: V3Data): Promise<void>;
  remove?(request: ApiRequest, resource: R): Promise<void>;
  /** Actions by name, on the resource or, for types that are not stored, its v3 data; `offered` says whether this resource has it for this caller (default: always). */
  actions?: Readonly<Record<string, ResourceAction<R>>>;
  /** Whether the caller may call an action of the collection; default: he may. */
  collectionAllowed?: Readonly<Record<string, (request: ApiView) => boolean>>;
  collectionActions?: Readonly<Record<string, (request: ApiRequest, input: V3Data) => Promise<ActionAnswer>>>;
}

export interface ResourceAction<R> {
  readonly offered?: (request: ApiView, resource: R) => boolean;
  /** Whether the caller may call it, as far as that is known before: else it is not shown, and who calls it all the same is refused by what it does. */
  readonly allowed?: (request: ApiView, resource: R) => boolean;
  run(request: ApiRequest, resource: R, input: V3Data): Promise<ActionAnswer>;
}

/** A type as the API serves it. `id` is a stored type's, or absent for one that is not stored. */
export interface ServedType {
  readonly declaration: TypeDeclaration;
  readonly stored?: TypeId;
  readonly behaviour: Behaviour<TypedResource<TypeId>>;
  /** Served below `/v3/cluster/<id>` instead of `/v3`. */
  readonly context?: 'cluster' | 'project';
}

export function behaviour<R>(declaration: Behaviour<R>): Behaviour<R> {
  return declaration;
}
