/**
 * A list's question as SQL: whom it may show, filters, order. Values are always bound, never written into the text; what stands in it
 * are column names of our own.
 */
import type { Requirement } from '../filter.ts';

/** What of a type somebody may see. */
export type Reach =
  | 'all'
  | {
      readonly namespaces: readonly string[];
      /** Names that may be seen in every namespace. */
      readonly names: readonly string[];
      /** `namespace/name`, or the name of what is in none. */
      readonly ids: readonly string[];
    };

export interface Query {
  readonly reach: Reach;
  readonly namespace?: string;
  /** Each must hold in one of its requirements. */
  readonly filters: readonly (readonly Requirement[])[];
  readonly sort: readonly { readonly field: string; readonly descending: boolean }[];
  readonly page?: { readonly number: number; readonly size: number };
  readonly summary: readonly string[];
  readonly summaryOnly: boolean;
  readonly summaryNamespaced: boolean;
}

/** The columns of fields that every row has. */
export const fixedColumns: ReadonlyMap<string, string> = new Map([
  ['id', 'id'],
  ['metadata.name', 'name'],
  ['metadata.namespace', 'ns'],
  ['metadata.creationTimestamp', 'created'],
  ['metadata.state.name', 'state'],
]);
const neverNull: ReadonlySet<string> = new Set(fixedColumns.values());

/** The column that a field is kept in; it may be made for this question. */
export type ColumnOf = (field: string) => string;

type Value = string | number;

export interface Clause {
  readonly text: string;
  readonly values: readonly Value[];
}

export interface Where extends Clause {
  /** The same for rows that are read in their order: what it says of them is looked at row by row, and finds none. */
  readonly inOrder: string;
}

const oneOf = (column: string) => `${column} IN (SELECT value FROM json_each(?))`;

/** Everything after WHERE. */
export function whereOf(query: Query, columnOf: ColumnOf): Where {
  const values: Value[] = [];
  const place = placeOf(query, values);
  const filters = query.filters.map(any => {
    const ways = any.map(one => {
      const { text, values: bound } = clause(one, columnOf(one.key));
      values.push(...bound);
      return text;
    });
    return `(${ways.join(' OR ')})`;
  });
  const all = (parts: readonly string[]) => (parts.length > 0 ? parts.join(' AND ') : '1');
  // A sign before a column keeps sqlite from looking it up in an index.
  const [text, inOrder] = ['', '+'].map(sign => all([...place.map(part => part(sign)), ...filters]));
  return { text: text!, inOrder: inOrder!, values };
}

/** Where somebody may look, and where he wants to; each with what stands before its columns. */
function placeOf(query: Query, values: Value[]): ((sign: string) => string)[] {
  const parts: ((sign: string) => string)[] = [];
  if (query.reach !== 'all') {
    const columns: string[] = [];
    const { namespaces, names, ids } = query.reach;
    for (const [column, list] of [
      ['ns', namespaces],
      ['name', names],
      ['id', ids],
    ] as const) {
      if (list.length === 0) continue;
      columns.push(column);
      values.push(JSON.stringify(list));
    }
    const ways = (sign: string) => columns.map(column => oneOf(sign + column)).join(' OR ');
    parts.push(sign => (columns.length > 0 ? `(${ways(sign)})` : '0'));
  }
  if (query.namespace !== undefined) {
    parts.push(sign => `${sign}ns = ?`);
    values.push(query.namespace);
  }
  return parts;
}

/** Labels that are not there are NULL; other fields that are not there compare as empty. */
function clause({ op, values, label }: Requirement, column: string): Clause {
  const field = label === undefined ? `ifnull(${column}, '')` : column;
  const text = `CAST(${field} AS TEXT)`;
  const [value = ''] = values;
  switch (op) {
    case '=':
      return { text: `${text} = ?`, values: [value] };
    case '!=':
      return { text: `${text} IS NOT ?`, values: [value] };
    case '~':
      return { text: `${text} LIKE ? ESCAPE '\\'`, values: [like(value)] };
    case '!~':
      return { text: `ifnull(${text}, '') NOT LIKE ? ESCAPE '\\'`, values: [like(value)] };
    case 'in':
      return { text: oneOf(text), values: [JSON.stringify(values)] };
    case 'notin':
      return { text: `(${column} IS NULL OR NOT ${oneOf(text)})`, values: [JSON.stringify(values)] };
    case '>':
    case '<':
      return {
        text: `(${field} IS NOT NULL AND ${field} <> '' AND CAST(${field} AS REAL) ${op} ?)`,
        values: [Number(value)],
      };
    case 'contains':
    case 'notcontains': {
      const has = label === undefined ? `instr('|' || ${text} || '|', '|' || ? || '|') > 0` : `${text} = ?`;
      return { text: op === 'contains' ? has : `NOT ifnull(${has}, 0)`, values: [value] };
    }
    case 'exists':
      return { text: `${column} IS NOT NULL`, values: [] };
    case 'absent':
      return { text: `${column} IS NULL`, values: [] };
  }
}

/** `%` and `_` mean themselves. */
function like(value: string): string {
  return `%${value.replace(/[\\%_]/g, '\\$&')}%`;
}

/**
 * Everything after ORDER BY. The id comes last, so that equal ones keep their places from page to page; it goes the way of what stands
 * before it, so that the index of an order is read backwards for the other.
 */
export function orderOf(query: Query, columnOf: ColumnOf): string {
  const parts = query.sort.map(({ field, descending }) => {
    const address = /^ip\((.+)\)$/.exec(field)?.[1];
    const column = columnOf(address ?? field);
    const value = address === undefined ? column : `ip_key(${column})`;
    // Where NULLs are to stand elsewhere than in an index, sqlite reads no further column of the order from it.
    const nulls = neverNull.has(value) ? '' : descending ? ' NULLS FIRST' : ' NULLS LAST';
    return `${value} COLLATE NOCASE ${descending ? 'DESC' : 'ASC'}${nulls}`;
  });
  const last = query.sort.at(-1);
  if (last?.field === 'id') return parts.join(', ');
  return [...parts, `id COLLATE NOCASE${last?.descending ? ' DESC' : ''}`].join(', ');
}

/** An IPv4 address as a text that sorts as the address does; others sort first, as they are. */
export function ipKey(value: unknown): string {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(String(value ?? ''));
  return parts
    ? `~${parts
        .slice(1)
        .map(part => part.padStart(3, '0'))
        .join('.')}`
    : String(value ?? '');
}
