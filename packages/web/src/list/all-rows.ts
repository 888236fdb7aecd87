/** All rows that match, page after page, up to a bound: for exports, and for actions on all that match. */
import { clusterRoot } from '../net/kinds.ts';
import type { Collection, KubeObject } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { included, queryOf, type RowsWish } from './rows.ts';

const perPage = 500;

export interface AllRowsOptions {
  readonly most: number;
  readonly signal?: AbortSignal;
  /** Whole objects, not only what rows show. */
  readonly isWhole?: boolean;
}

export async function allRows(
  wish: RowsWish,
  { most, signal, isWhole = false }: AllRowsOptions,
): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  const shape = isWhole ? 'exclude=metadata.managedFields' : included;
  for (let page = 1; found.length < most; page++) {
    const path = `${clusterRoot(wish.clusterId)}/${wish.kind.plural}?${queryOf(wish)}&page=${page}&pagesize=${perPage}&${shape}`;
    const { data } = await ask<Collection>(path, signal ? { signal } : {});
    found.push(...data);
    if (data.length < perPage) break;
  }
  return found.slice(0, most);
}
