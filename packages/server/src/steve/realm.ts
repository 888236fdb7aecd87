/**
 * Realm: what one person finds under one `/v1`: types, his rights, and objects to read and write. A cluster is one, the server's own
 * resources are another, and the hub's `/v1` is both laid over each other.
 */
import type { Method as HttpMethod, Query as KubeQuery } from '@drover/kube';
import type { Exchange } from '../http/exchange.ts';
import type { Source } from '../resources/index.ts';
import type { Column } from './cache/ages.ts';
import type { StateCount, SummaryPart } from './cache/index-db.ts';
import type { Query } from './cache/sql.ts';
import type { RowEvent } from './cache/worker-calls.ts';
import type { SchemaDefinition } from './definitions.ts';
import type { Rights } from './rbac.ts';
import type { SteveType } from './steve-type.ts';
import type { Reading, RowListener } from './type-cache.ts';

/** An object to be shown: what stands behind its id, type and links. */
export interface Shown {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly text: string;
}

export interface ListAnswer {
  readonly rows: readonly Shown[];
  readonly count: number;
  readonly summary?: readonly SummaryPart[];
  /** Empty where only some are read. */
  readonly version: string;
  /** There while the list is made of what has been read of it so far. */
  readonly reading?: Reading;
}

export interface Place {
  readonly namespace: string;
  readonly name: string;
}

export interface Write {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly query?: KubeQuery;
  /** The request that asks for it. */
  readonly exchange?: Exchange;
}

export interface Written {
  /** Undefined where there is nothing any more. */
  readonly shown?: Shown;
  readonly warnings: readonly string[];
}

/** What subscribers are told from. */
export interface Feed {
  /** Whether this person may see what the event is about, by his rights as they are now. */
  sees(event: RowEvent): boolean;
  /** Differs when he may see other things than before. */
  reachKey(): string;
  subscribe(listener: RowListener): () => void;
  /** The events after a revision; undefined where they are not kept any more. */
  after(version: bigint): readonly RowEvent[] | undefined;
  readonly version: string;
}

export interface Realm {
  types(): Promise<ReadonlyMap<string, SteveType>>;
  rights(): Promise<Rights>;
  columns(type: SteveType): Promise<readonly Column[] | undefined>;
  list(type: SteveType, query: Query, options: ListOptions): Promise<ListAnswer>;
  get(type: SteveType, place: Place, options: { readonly managed: boolean }): Promise<Shown>;
  /** POST, PUT, PATCH or DELETE of an object; POST's place has no name. */
  write(method: HttpMethod, type: SteveType, place: Place, write: Write): Promise<Written>;
  /** All that decides what a list of the type shows this person, where it is known; undefined where it is not. */
  sources?(type: SteveType): readonly Source[] | undefined;
  counts(type: SteveType): Promise<readonly StateCount[] | undefined>;
  /** What the fields of a type are, in the cluster's own words; undefined where it says nothing of it. */
  definitions(type: SteveType): Promise<SchemaDefinition | undefined>;
  feed(type: SteveType): Promise<Feed>;
  /** Namespaces that are in one of these projects (by their bare names). */
  namespacesOf(projects: readonly string[]): Promise<readonly string[]>;
  /** Told when this person's rights may have changed. */
  onRights(listener: () => void): () => void;
  /** The path of an object in the cluster's own API, as this server passes it on. */
  view(type: SteveType, place: Place): string;
  /** More links of an object. */
  links?(type: SteveType, place: Place): Readonly<Record<string, string>>;
}

export interface ListOptions {
  readonly managed: boolean;
  /** The least revision that will do. */
  readonly revision?: bigint;
  /** Whether what has been read so far will do, where a list is being read for the first time. */
  readonly early?: boolean;
  /** Whether nothing but their metadata is wanted. */
  readonly metadataOnly?: boolean;
}
