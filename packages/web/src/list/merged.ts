/**
 * One table out of several lists: the kinds of workload of a cluster, or one kind of all clusters. Each list is filtered and cut off by
 * its server, and they are put in order here; one that can't be had is named and keeps nobody waiting.
 */
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { clusterRoot, type Kind } from '../net/kinds.ts';
import { watchType } from '../net/live.ts';
import type { Collection, KubeObject } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { included, queryOf, type RowsWish } from './rows.ts';

export interface Source {
  readonly clusterId: string;
  /** What the source is called in its column. */
  readonly label: string;
  readonly kind: Kind;
}

export interface MergedRow {
  readonly source: Source;
  readonly object: KubeObject;
}

export interface Merged {
  readonly rows: readonly MergedRow[];
  /** How many there are in all, shown or not. */
  readonly count: number;
  readonly failed: readonly { readonly source: Source; readonly error: unknown }[];
  /** Those that have not answered yet. */
  readonly waiting: readonly Source[];
  readonly retry: () => void;
}

/** Of each source. */
export const mostOfEach = 500;

type Common = Pick<RowsWish, 'text' | 'namespaces' | 'state'>;

export function useMerged(sources: readonly Source[], common: Common): Merged {
  const results = useQueries({
    queries: sources.map(({ clusterId, kind }) => {
      const query = queryOf({ ...common, clusterId, kind, sort: 'metadata.name' }, undefined);
      return {
        queryKey: ['merged', clusterId, kind.plural, query],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          ask<Collection>(
            `${clusterRoot(clusterId)}/${kind.plural}?${query}&page=1&pagesize=${mostOfEach}&${included}`,
            {
              signal,
            },
          ),
        placeholderData: keepPreviousData,
        retry: false,
      };
    }),
  });
  const refetch = useRef<(index: number) => void>(() => undefined);
  refetch.current = index => void results[index]?.refetch();
  const key = sources.map(({ clusterId, kind }) => `${clusterId} ${kind.id}`).join();
  useEffect(() => {
    const stops = key
      .split(',')
      .filter(Boolean)
      .map((one, index) => {
        const [clusterId = '', id = ''] = one.split(' ');
        return watchType(clusterRoot(clusterId), { resourceType: id }, () => refetch.current(index));
      });
    return () => {
      for (const stop of stops) stop();
    };
  }, [key]);
  return {
    rows: results.flatMap(({ data }, i) => (data?.data ?? []).map(object => ({ source: sources[i]!, object }))),
    count: results.reduce((sum, { data }) => sum + (data?.count ?? 0), 0),
    failed: results.flatMap(({ error, data }, i) => (error && !data ? [{ source: sources[i]!, error }] : [])),
    waiting: results.flatMap(({ isPending }, i) => (isPending ? [sources[i]!] : [])),
    retry: () => {
      for (const { isError, refetch: again } of results) if (isError) void again();
    },
  };
}

export type MergedSort = 'name' | 'source' | 'namespace' | 'state' | 'age' | (string & {});

/** In order of a column, by its cell's text; `-` before it turns it round. What is equal stays in the order of names. */
export function sortMerged(
  rows: readonly MergedRow[],
  sort: MergedSort,
  textOf: (row: MergedRow, column: string) => string,
): readonly MergedRow[] {
  const turned = sort.startsWith('-');
  const column = sort.replace(/^-/, '');
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  return rows
    .map(row => ({ row, key: textOf(row, column) }))
    .sort((a, b) => (turned ? -1 : 1) * compare(a.key, b.key) || compare(a.row.object.id, b.row.object.id))
    .map(({ row }) => row);
}
