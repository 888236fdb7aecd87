/** How many objects of each kind a cluster has, by state, as this person may see them; live. */
import { useQuery } from '@tanstack/react-query';
import { clusterRoot } from '../net/kinds.ts';
import type { Collection } from '../net/objects.ts';
import { ask } from '../net/request.ts';

export interface Count {
  readonly summary: {
    readonly count?: number;
    readonly errors?: number;
    readonly transitioning?: number;
    readonly states?: Readonly<Record<string, number>>;
  };
}

type Counts = Readonly<Record<string, Count>>;

const everyMs = 10_000;

/** By the id of the kind. */
export function useCounts(clusterId: string | undefined): Counts {
  const { data } = useQuery({
    queryKey: ['counts', clusterId],
    queryFn: async ({ signal }) =>
      (await ask<Collection<{ counts: Counts }>>(`${clusterRoot(clusterId!)}/counts`, { signal })).data[0]?.counts,
    enabled: clusterId !== undefined,
    refetchInterval: everyMs,
  });
  return data ?? {};
}
