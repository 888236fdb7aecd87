/** The server's own resources through `/v3`: lists and single ones as queries, and who is signed in. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Collection, V3Resource } from './objects.ts';
import { ask, type RequestOptions } from './request.ts';
import { useLive } from './use-live.ts';

export interface Me extends V3Resource {
  readonly username: string;
  readonly mustChangePassword: boolean;
}

const hubRoot = '/v1';

/** A collection of `/v3`, asked again when its type changes; `steveType` names it as subscribers know it. */
export function useV3List(path: string, steveType?: string) {
  const key = ['v3', path];
  useLive(steveType ? hubRoot : undefined, steveType, key);
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => ask<Collection<V3Resource>>(path, { signal }),
  });
}

export function useMe() {
  return useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => (await ask<Collection<Me>>('/v3/users?me=true', { signal })).data[0],
    staleTime: 60_000,
    retry: false,
  });
}

/** The root of `/v3` says which collections this person may read. */
export function useMayList(): ReadonlySet<string> {
  const { data } = useQuery({
    queryKey: ['v3-schemas'],
    queryFn: ({ signal }) => ask<Collection<{ id: string; collectionMethods?: string[] }>>('/v3/schemas', { signal }),
    staleTime: 300_000,
  });
  return new Set((data?.data ?? []).filter(one => one.collectionMethods?.includes('GET')).map(one => one.id));
}

/** Changes something, and has every list that may show it asked again. */
export function useChange() {
  const client = useQueryClient();
  return async <T = V3Resource>(path: string, options: RequestOptions): Promise<T> => {
    const answer = await ask<T>(path, options);
    await client.invalidateQueries({ queryKey: ['v3'] });
    return answer;
  };
}
