/**
 * Collections: filtered, sorted and paged as v3 does it. Unknown filters are ignored, comparisons are by text, a missing
 * value counts as its default, and every link is absolute.
 */
import { filterModifiers, type SchemaFields, type V3Data } from '@drover/api';

export interface Filter {
  readonly field: string;
  readonly modifier: 'eq' | 'ne' | 'in' | 'notin';
  readonly values: readonly string[];
}

const modifiers: ReadonlySet<string> = new Set(['eq', 'ne', 'in', 'notin']);

/** The filters that a query holds; a key is a field, or a field, `_` and a modifier, split at the last `_`. */
export function parseFilters(query: URLSearchParams, fields: SchemaFields): Filter[] {
  const out: Filter[] = [];
  for (const key of new Set(query.keys())) {
    const cut = key.lastIndexOf('_');
    const named = cut > 0 && modifiers.has(key.slice(cut + 1)) ? [key.slice(0, cut), key.slice(cut + 1)] : [key, 'eq'];
    const field = named[0]!;
    const modifier = named[1] as Filter['modifier'];
    const own = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const schema = field === 'id' ? { type: 'string', create: false, update: false } : own;
    if (!schema || !filterModifiers(schema).includes(modifier)) continue;
    const all = query.getAll(key);
    out.push({ field, modifier, values: modifier === 'eq' || modifier === 'ne' ? all.slice(0, 1) : all });
  }
  return out;
}

export function passes(data: V3Data, filters: readonly Filter[], fields: SchemaFields): boolean {
  return filters.every(({ field, modifier, values }) => {
    const value = data[field] ?? fields[field]?.default;
    const found = values.includes(value === undefined || value === null ? '' : String(value));
    return modifier === 'eq' || modifier === 'in' ? found : !found;
  });
}

export interface PageRequest {
  readonly sort?: string;
  readonly reverse: boolean;
  readonly limit: number;
  readonly marker?: string;
}

const defaultLimit = 1000;
const maxLimit = 10_000;

export function parsePage(query: URLSearchParams, fields: SchemaFields): PageRequest {
  const wanted = query.get('sort') ?? '';
  const asked = Number(query.get('limit') ?? Number.NaN);
  const limit =
    asked === -1 ? maxLimit : Number.isInteger(asked) && asked > 0 ? Math.min(asked, maxLimit) : defaultLimit;
  const field = Object.hasOwn(fields, wanted) ? fields[wanted] : undefined;
  return {
    sort: field && filterModifiers(field).length > 0 ? wanted : undefined,
    reverse: query.get('order') === 'desc',
    limit,
    marker: query.get('marker') || undefined,
  };
}

/** Sorts by the text of the field, then by id, so that pages fit together. */
export function sortData(all: V3Data[], { sort, reverse }: PageRequest): V3Data[] {
  const text = (data: V3Data, field: string) => String(data[field] ?? '');
  const order = reverse ? -1 : 1;
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return all.sort(
    (a, b) => order * ((sort ? compare(text(a, sort), text(b, sort)) : 0) || compare(text(a, 'id'), text(b, 'id'))),
  );
}

export interface Page {
  readonly data: readonly V3Data[];
  readonly pagination: Record<string, unknown>;
}

/** Cuts the page that begins at the marker; a marker that is not there begins anew. `url` is the request's, absolute. */
export function cutPage(all: readonly V3Data[], page: PageRequest, url: URL): Page {
  const found = page.marker === undefined ? 0 : all.findIndex(data => data['id'] === page.marker);
  const start = Math.max(0, found);
  const data = all.slice(start, start + page.limit);
  const at = (index: number) => {
    const link = new URL(url);
    link.searchParams.set('marker', String(all[index]!['id']));
    return link.href;
  };
  const pagination: Record<string, unknown> = { limit: page.limit, total: all.length };
  if (data.length < all.length) {
    pagination['partial'] = true;
    if (page.marker !== undefined) pagination['marker'] = page.marker;
    pagination['first'] = at(0);
    pagination['last'] = at(Math.floor((all.length - 1) / page.limit) * page.limit);
    if (start > 0) pagination['previous'] = at(Math.max(0, start - page.limit));
    if (start + page.limit < all.length) pagination['next'] = at(start + page.limit);
  }
  return { data, pagination };
}

/** What the collection says of its own order and filters. */
export function describeQuery(
  filters: readonly Filter[],
  page: PageRequest,
  { fields, url }: { fields: SchemaFields; url: URL },
): Record<string, unknown> {
  const names = Object.keys(fields).filter(name => filterModifiers(fields[name]!).length > 0);
  const link = (change: (link: URL) => void) => {
    const out = new URL(url);
    out.searchParams.delete('marker');
    change(out);
    return out.href;
  };
  const sortable = names.filter(name => ['string', 'enum'].includes(fields[name]!.type));
  return {
    filters: Object.fromEntries(
      names.map(name => {
        const set = filters.filter(filter => filter.field === name);
        return [
          name,
          set.length > 0 ? set.flatMap(({ modifier, values }) => values.map(value => ({ modifier, value }))) : null,
        ];
      }),
    ),
    sort: {
      ...(page.sort ? { name: page.sort } : {}),
      order: page.reverse ? 'desc' : 'asc',
      reverse: link(out => out.searchParams.set('order', page.reverse ? 'asc' : 'desc')),
      links: Object.fromEntries(sortable.map(name => [name, link(out => out.searchParams.set('sort', name))])),
    },
  };
}
