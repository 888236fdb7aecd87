/** Kinds: what a cluster has and this person may see of it, from its schemas; lists, columns and navigation come from here. */
import { useQuery } from '@tanstack/react-query';
import type { Collection } from './objects.ts';
import { ask, isAway, isTriedAgain } from './request.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  readonly priority: number;
  /** Where it stands in `metadata.fields`. */
  readonly index: number;
}

export interface Kind {
  /** `apps.deployment`: what objects say their type is. */
  readonly id: string;
  /** `apps.deployments`: how it is written in paths. */
  readonly plural: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly columns: readonly Column[];
  readonly canCreate: boolean;
}

interface Schema {
  readonly id: string;
  readonly pluralName: string;
  readonly links: Readonly<Record<string, string>>;
  readonly collectionMethods?: readonly string[];
  readonly attributes?: {
    readonly kind?: string;
    readonly group?: string;
    readonly version?: string;
    readonly resource?: string;
    readonly namespaced?: boolean;
    readonly verbs?: readonly string[];
    readonly columns?: readonly { name: string; type: string; description?: string; priority?: number }[];
  };
}

/** `/k8s/clusters/<id>/v1`, under which everything of a cluster is. */
export const clusterRoot = (clusterId: string): string => `/k8s/clusters/${encodeURIComponent(clusterId)}/v1`;

/** By plural; only what can be listed. */
export function kindsOf(schemas: readonly Schema[]): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (const { id, pluralName, collectionMethods = [], attributes = {} } of schemas) {
    const { kind, group = '', version = '', resource, namespaced = false, verbs = [], columns = [] } = attributes;
    if (!kind || !resource || !verbs.includes('list') || !collectionMethods.includes('GET')) continue;
    kinds.set(pluralName, {
      id,
      plural: pluralName,
      kind,
      group,
      version,
      resource,
      namespaced,
      canCreate: collectionMethods.includes('POST'),
      columns: columns.map((column, index) => ({ ...column, priority: column.priority ?? 0, index })),
    });
  }
  return kinds;
}

/** What asks a cluster for its kinds. */
export const kindsQuery = (clusterId: string) => ({
  queryKey: ['kinds', clusterId],
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    kindsOf((await ask<Collection<Schema>>(`${clusterRoot(clusterId)}/schemas`, { signal })).data),
  staleTime: 60_000,
  refetchOnWindowFocus: true,
});

const longestMs = 5000;

/** A cluster that is away is asked until it is back: `failureReason` says what keeps it meanwhile. */
export function useKinds(clusterId: string) {
  return useQuery({
    ...kindsQuery(clusterId),
    retry: (count, error) => isAway(error) || isTriedAgain(count, error),
    retryDelay: count => Math.min(1000 * 2 ** count, longestMs),
  });
}
