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

/**
 * Whether this person may read (GET) or add to (POST) one of the server's own types at all; until that is known, not. `/v1` says so by his
 * rights, also where it has the writing itself done in `/v3`.
 */
export function useMay(): (type: string, method: 'GET' | 'POST') => boolean {
  const { data } = useQuery({
    queryKey: ['own-schemas'],
    queryFn: ({ signal }) => ask<Collection<{ id: string; collectionMethods?: string[] }>>('/v1/schemas', { signal }),
    staleTime: 60_000,
  });
  const methods = new Map((data?.data ?? []).map(one => [one.id, one.collectionMethods ?? []]));
  return (type, method) => {
    const found = methods.get(`management.cattle.io.${type.toLowerCase()}`) ?? [];
    return found.includes(method) || found.includes(`blocked-${method}`);
  };
}

/** Whether this person has a right on this server, asked of the server itself; until that is known, not. */
export function useCan(verb: string, resource: string): boolean {
  const { data } = useQuery({
    queryKey: ['can-i', verb, resource],
    queryFn: ({ signal }) =>
      ask<{ allowed: boolean }>('/v1-access?action=can-i', { method: 'POST', body: { verb, resource }, signal }),
    staleTime: 60_000,
  });
  return data?.allowed ?? false;
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
