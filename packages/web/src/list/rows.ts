/** The rows of a list, page by page as they come into sight, in the order and by the filter that the server applied; live. */
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { clusterRoot, type Kind } from '../net/kinds.ts';
import type { Collection, KubeObject, Reading } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useLive } from '../net/use-live.ts';
import { filtersOf, quote } from './filter-words.ts';

export const pageSize = 100;
/** How often a list is asked for again while the server still reads it: not so often when there is much of it already. */
const readingMs = { few: 500, many: 2000 };
const many = 5000;

export interface RowsWish {
  readonly clusterId: string;
  readonly kind: Kind;
  readonly sort: string;
  readonly text?: string;
  readonly namespaces?: readonly string[];
  readonly state?: string;
  /** More requirements in the server's own grammar; each must hold. */
  readonly filters?: readonly string[];
}

const parts = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'state', 'fields', 'labels'];
/** What of each object a row takes. */
export const included = parts.map(part => `include=metadata.${part}`).join('&');

/** The query of a list; without `page` what its pages have in common. */
export function queryOf({ kind, sort, text, namespaces = [], state, filters = [] }: RowsWish, page?: number): string {
  const query = new URLSearchParams();
  const names =
    kind.plural === 'events' ? ['metadata.fields[3]', 'metadata.fields[2]', 'metadata.fields[6]'] : ['metadata.name'];
  for (const filter of filtersOf(text ?? '', [...names, ...(kind.namespaced ? ['metadata.namespace'] : [])]))
    query.append('filter', filter);
  if (state) query.append('filter', `metadata.state.name=${quote(state)}`);
  for (const filter of filters) query.append('filter', filter);
  if (namespaces.length > 0 && kind.namespaced) query.set('projectsornamespaces', namespaces.join(','));
  query.set('sort', sort);
  if (page !== undefined) {
    query.set('page', String(page + 1));
    query.set('pagesize', String(pageSize));
  }
  return query.toString();
}

const keyOf = ({ clusterId, kind }: RowsWish) => ['rows', clusterId, kind.plural];

export interface Rows {
  readonly count: number;
  readonly at: (index: number) => KubeObject | undefined;
  readonly first: readonly KubeObject[];
  readonly isPending: boolean;
  /** What is shown belongs to the question before. */
  readonly isOld: boolean;
  /** How far the server is where it reads the list for the first time: the rows are those of what it has. */
  readonly reading: Reading | undefined;
  readonly error: unknown;
  readonly retry: () => void;
  readonly canCreate: boolean;
}

export function useRows(wish: RowsWish, wantedPages: readonly number[]): Rows {
  const root = clusterRoot(wish.clusterId);
  useLive(root, wish.kind.id, keyOf(wish));
  const path = `${root}/${wish.kind.plural}`;
  const pages = [...new Set([0, ...wantedPages])];
  const results = useQueries({
    queries: pages.map(page => {
      const query = queryOf(wish, page);
      return {
        queryKey: [...keyOf(wish), query],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          ask<Collection>(`${path}?${query}&early=true&${included}`, { signal }),
        refetchInterval: askAgainMs,
        placeholderData: keepPreviousData,
        gcTime: 60_000,
      };
    }),
  });
  const byPage = new Map(pages.map((page, i) => [page, results[i]!]));
  const first = byPage.get(0)!;
  return {
    count: first.data?.count ?? 0,
    at: index => byPage.get(Math.floor(index / pageSize))?.data?.data[index % pageSize],
    first: first.data?.data ?? [],
    isPending: first.isPending,
    isOld: first.isPlaceholderData,
    reading: first.data?.reading,
    error: first.data ? undefined : first.error,
    retry: () => void first.refetch(),
    canCreate: first.data?.createTypes !== undefined,
  };
}

function askAgainMs({
  state: { data },
}: {
  readonly state: { readonly data?: Collection | undefined };
}): number | false {
  if (!data?.reading) return false;
  return data.reading.read < many ? readingMs.few : readingMs.many;
}

/** How many rows there are in each state, whatever state is looked at now. */
export function useStateCounts(wish: RowsWish): Readonly<Record<string, number>> {
  const wanted = new URLSearchParams(queryOf({ ...wish, state: undefined }));
  // They are the same in every order.
  wanted.delete('sort');
  const query = `${wanted}&summary=metadata.state.name&summaryonly=true&early=true`;
  const { data } = useQuery({
    queryKey: [...keyOf(wish), 'states', query],
    queryFn: ({ signal }) => ask<Collection>(`${clusterRoot(wish.clusterId)}/${wish.kind.plural}?${query}`, { signal }),
    refetchInterval: askAgainMs,
    placeholderData: keepPreviousData,
  });
  const counts = data?.summary?.[0]?.counts ?? {};
  return Object.fromEntries(Object.entries(counts).map(([state, { total }]) => [state, total]));
}
