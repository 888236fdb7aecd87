/**
 * What a list of `/v1` is asked for: filters that must all hold, order, page, summary. As with the original, `page` counts from 1 and means
 * nothing without `pagesize`, a `pagesize` of zero or less is all, and `limit`/`continue` are not looked at. `early` is of this server
 * alone: what has been read so far of a long list, in place of waiting for the rest.
 */
import { invalid } from '@drover/base';
import { parseFilter, type Requirement } from './filter.ts';

export type SortField = { readonly field: string; readonly descending: boolean };

export type ListParams = {
  readonly filters: readonly (readonly Requirement[])[];
  readonly sort: readonly SortField[];
  readonly page?: { readonly number: number; readonly size: number };
  readonly summary: readonly string[];
  readonly summaryOnly: boolean;
  readonly summaryNamespaced: boolean;
  readonly early: boolean;
};

const maxFilters = 50;
const maxFields = 20;

/** Reads them from the query. Throws `Invalid` naming the parameter and what would be right. */
export function parseListParams(query: URLSearchParams): ListParams {
  const filters = query.getAll('filter');
  if (filters.length > maxFilters) throw invalid('filter', `must be given at most ${maxFilters} times`);
  const size = wholeNumber(query, 'pagesize') ?? 0;
  const number = Math.max(1, wholeNumber(query, 'page') ?? 1);
  if (!Number.isSafeInteger(number * size)) throw invalid('page', 'must be smaller');
  if (query.getAll('summary').length > 1)
    throw invalid('summary', 'must be given once, with its fields joined by commas');
  const summary = fields(query, 'summary');
  const summaryOnly = isSet(query, 'summaryonly');
  if (summaryOnly && summary.length === 0) throw invalid('summaryonly', 'needs `summary`');
  const sort = fields(query, 'sort').map(field => ({
    field: field.replace(/^-/, ''),
    descending: field.startsWith('-'),
  }));
  if (sort.some(one => one.field === '')) throw invalid('sort', 'must name a field after `-`');
  return {
    filters: filters.map(parseFilter),
    sort,
    ...(size > 0 ? { page: { number, size } } : {}),
    summary,
    summaryOnly,
    summaryNamespaced: isSet(query, 'summarynamespaced'),
    early: isSet(query, 'early'),
  };
}

/** Whether it is there at all and not `false`. */
const isSet = (query: URLSearchParams, name: string): boolean => query.has(name) && query.get(name) !== 'false';

function fields(query: URLSearchParams, name: string): string[] {
  const found = (query.get(name) ?? '').split(',').filter(field => field !== '');
  if (found.length > maxFields) throw invalid(name, `must name at most ${maxFields} fields`);
  return found;
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw invalid(name, 'must be a whole number');
  return value;
}
