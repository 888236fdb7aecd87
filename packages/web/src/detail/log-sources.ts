/** Which containers' logs belong to an object: a pod's own, or those of the pods of a workload. */
import { useQuery } from '@tanstack/react-query';
import { clusterRoot } from '../net/kinds.ts';
import { type Collection, type KubeObject, listAt } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { podFilters } from './related.ts';

export interface LogSource {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** More streams at once help nobody read. */
const mostPods = 20;

function sourcesOf(pod: KubeObject): LogSource[] {
  const { name, namespace = '' } = pod.metadata;
  const all = [
    ...listAt<{ name: string }>(pod, 'spec.initContainers'),
    ...listAt<{ name: string }>(pod, 'spec.containers'),
  ];
  return all.map(container => ({ namespace, pod: name, container: container.name }));
}

export function useLogSources(clusterId: string, object: KubeObject): readonly LogSource[] {
  const isPod = object.kind === 'Pod';
  const { namespace = '', uid } = object.metadata;
  const { data } = useQuery({
    queryKey: ['log-sources', clusterId, uid],
    enabled: !isPod,
    refetchInterval: 10_000,
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ pagesize: String(mostPods), page: '1', sort: 'metadata.name' });
      for (const part of ['metadata.name', 'metadata.namespace', 'spec.containers', 'spec.initContainers'])
        query.append('include', part);
      for (const filter of podFilters(object) ?? []) query.append('filter', filter);
      const found = await ask<Collection>(`${clusterRoot(clusterId)}/pods/${namespace}?${query}`, { signal });
      return found.data.flatMap(sourcesOf);
    },
  });
  return isPod ? sourcesOf(object) : (data ?? []);
}
