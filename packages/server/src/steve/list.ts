/** A collection of `/v1` as it is sent: in parts, so that a long one is never one text. */
import { invalid, StatusError } from '@drover/base';
import type { Query } from './cache/sql.ts';
import { linker, render, type View } from './links.ts';
import { parseListParams } from './list-params.ts';
import { parseShape } from './shape.ts';
import { methodsOf, type SteveType } from './steve-type.ts';

/** What a client calls "all": nobody is given more in one answer. */
const maxPage = 100_000;
const rowsPerPart = 100;
const maxProjects = 1000;

/** The parts of the answer's JSON; `lines` asks for one object a line in place of one list. */
export async function listParts(
  view: View,
  type: SteveType,
  {
    query,
    namespace,
    lines = false,
  }: { readonly query: URLSearchParams; readonly namespace?: string; readonly lines?: boolean },
): Promise<string[]> {
  const params = parseListParams(query);
  const shape = parseShape(query);
  const page = params.page ?? { number: 1, size: maxPage };
  const asked: Query = {
    reach: { namespaces: [], names: [], ids: [] },
    ...(namespace === undefined ? {} : { namespace }),
    filters: [...params.filters, ...(await projectFilters(view, type, query))],
    sort: params.sort,
    page: { ...page, size: Math.min(page.size, maxPage) },
    summary: params.summary,
    summaryOnly: params.summaryOnly,
    summaryNamespaced: params.summaryNamespaced,
  };
  const { managed, metadataOnly } = shape;
  const options = { managed, metadataOnly, revision: revisionOf(query), early: params.early };
  const { rows, count, summary, version, reading } = await view.realm.list(type, asked, options);
  const links = linker(view, type);
  const shown = (row: (typeof rows)[number]) => {
    const text = render(type, row, links);
    return shape.change ? shape.change(text) : text;
  };
  const offset = page.number * page.size;
  const self = `${view.root}/${type.plural}${namespace === undefined ? '' : `/${namespace}`}`;
  const mayCreate = methodsOf(type, view.rights).collection.includes('POST') && !type.blocked?.includes('POST');
  const head = JSON.stringify({
    type: 'collection',
    links: { self },
    ...(mayCreate ? { createTypes: { [type.id]: `${view.root}/${type.plural}` } } : {}),
    actions: {},
    resourceType: type.id,
    ...(version ? { revision: version } : {}),
    ...(reading ? { reading } : {}),
    ...(!params.summaryOnly && count > offset
      ? {
          continue: String(offset),
          pagination: { first: self, next: `${self}?page=${page.number + 1}&pagesize=${page.size}`, partial: true },
        }
      : {}),
    ...(count > 0 ? { count } : {}),
  });
  const tail = summary && summary.length > 0 ? `,"summary":${JSON.stringify(summary)}` : '';
  if (lines)
    return [
      `${head}\n`,
      ...rows.map(row => `${shown(row)}\n`),
      ...(summary ?? []).map(one => `${JSON.stringify(one)}\n`),
      '\n',
    ];
  const parts = [`${head.slice(0, -1)},"data":[`];
  for (let at = 0; at < rows.length; at += rowsPerPart)
    parts.push(
      `${at > 0 ? ',' : ''}${rows
        .slice(at, at + rowsPerPart)
        .map(shown)
        .join()}`,
    );
  parts.push(`]${tail}}\n`);
  return parts;
}

function revisionOf(query: URLSearchParams): bigint | undefined {
  const text = query.get('revision');
  if (text === null || text === '') return undefined;
  if (!/^\d{1,19}$/.test(text))
    throw new StatusError(400, 'BadRequest', 'revision must be a whole number', {
      details: { code: 'invalid revision query param' },
    });
  return BigInt(text);
}

/** `projectsornamespaces=a,b` and `projectsornamespaces!=a,b`: by the namespace's name or by the project that it is in. */
async function projectFilters({ realm }: View, type: SteveType, query: URLSearchParams): Promise<Query['filters']> {
  const filters: Query['filters'][number][] = [];
  for (const [name, op] of [
    ['projectsornamespaces', 'in'],
    ['projectsornamespaces!', 'notin'],
  ] as const) {
    const wanted = (query.get(name) ?? '').split(',').filter(one => one !== '');
    if (wanted.length === 0) continue;
    if (wanted.length > maxProjects) throw invalid(name, `must name at most ${maxProjects}`);
    const values = [...new Set([...wanted, ...(await realm.namespacesOf(wanted))])];
    const key = type.id === 'namespace' ? 'metadata.name' : 'metadata.namespace';
    filters.push([{ key, op, values }]);
  }
  return filters;
}
