/** The objects of the map out of the cluster's lists: so many of each kind, asked for again while one looks. */
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { included, queryOf } from '../list/rows.ts';
import { clusterRoot, useKinds } from '../net/kinds.ts';
import type { Collection } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { buildMap, type ClusterMap, type Part } from './graph.ts';

const plurals = [
  ...['networking.k8s.io.ingresses', 'autoscaling.horizontalpodautoscalers', 'batch.cronjobs', 'services'],
  ...['apps.deployments', 'apps.statefulsets', 'apps.daemonsets', 'discovery.k8s.io.endpointslices'],
  ...['apps.replicasets', 'batch.jobs', 'pods', 'configmaps', 'secrets', 'persistentvolumeclaims', 'persistentvolumes'],
];
export const mostOfEach = 1000;
const againMs = 10_000;
const fields = [
  'spec.rules',
  'spec.defaultBackend',
  'spec.volumeName',
  'spec.scaleTargetRef',
  'metadata.relationships',
];
const shape = `${included}&${fields.map(field => `include=${field}`).join('&')}`;

export interface FoundMap {
  readonly map: ClusterMap;
  readonly isPending: boolean;
  readonly error: unknown;
  readonly retry: () => void;
  /** Some kind has more than are shown. */
  readonly isCut: boolean;
  /** Kinds that this person may not list. */
  readonly missing: readonly string[];
}

export function useMap(clusterId: string, namespaces: readonly string[]): FoundMap {
  const kinds = useKinds(clusterId);
  const wanted = plurals.flatMap(plural => kinds.data?.get(plural) ?? []);
  const results = useQueries({
    queries: wanted.map(kind => {
      const query = queryOf({ clusterId, kind, sort: 'metadata.name', namespaces });
      return {
        queryKey: ['map', clusterId, kind.plural, query],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          ask<Collection>(`${clusterRoot(clusterId)}/${kind.plural}?${query}&page=1&pagesize=${mostOfEach}&${shape}`, {
            signal,
          }),
        placeholderData: keepPreviousData,
        refetchInterval: againMs,
        retry: false,
      };
    }),
    combine: all => ({
      data: all.map(({ data }) => data),
      errors: all.flatMap(({ error, data }) => (error && !data ? [error] : [])),
      isPending: all.some(({ isPending }) => isPending),
      refetch: () => all.map(one => one.refetch()),
    }),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the kinds change with their data
  const map = useMemo(
    () => buildMap(wanted.map((kind, at) => ({ kind, objects: (results.data[at]?.data ?? []) as readonly Part[] }))),
    [results.data],
  );
  return {
    map,
    isPending: kinds.isPending || results.isPending,
    error: kinds.error ?? (results.errors.length === wanted.length ? results.errors[0] : undefined),
    retry: () => void (kinds.isError ? kinds.refetch() : results.refetch()),
    isCut: results.data.some(one => (one?.count ?? 0) > mostOfEach),
    missing: plurals.filter(plural => kinds.data && !kinds.data.has(plural)).map(plural => plural.replace(/^.*\./, '')),
  };
}
