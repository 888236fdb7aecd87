/**
 * Row: an object of a cluster as it is kept for lists: its JSON in pieces that need only be joined to be shown, beside what lists are
 * filtered by. Bodies of secrets are never in one.
 */
import { type Column, comparableCells, keepCells, showCells } from './ages.ts';
import { relationshipsOf } from './relationships.ts';
import { type Observed, stateOf } from './state.ts';

/** An object as a cluster gives it, with the cells of its table row. */
export interface Seen {
  readonly object: RawObject;
  readonly cells?: readonly unknown[];
}

export interface RawObject extends Observed {
  readonly apiVersion?: string;
  readonly metadata: Observed['metadata'] & {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly managedFields?: unknown;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly apiVersion: string; readonly kind: string; readonly name: string }[];
  };
}

/** Of which type the rows are. */
export interface RowType {
  readonly apiVersion: string;
  readonly kind: string;
  readonly columns: readonly Column[];
  /** Nothing but metadata and cells is kept. */
  readonly withoutBodies: boolean;
}

export interface Row {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly created: string;
  readonly state: string;
  readonly error: boolean;
  readonly transitioning: boolean;
  /** Members of metadata as JSON, without braces, managedFields and fields. */
  readonly metadata: string;
  /** managedFields as JSON, or empty. */
  readonly managed: string;
  /** The cells, as kept. */
  readonly cells: string;
  /** The other members as JSON with a comma before each, without apiVersion and kind. */
  readonly rest: string;
}

/** Fields at the top that would be taken for ours. */
export const reserved = ['id', 'type', 'links', 'actions'] as const;
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** `now` is when the cluster wrote the cells. */
export function makeRow({ object, cells = [] }: Seen, type: RowType, now: number): Row {
  const { managedFields, annotations, ...metadata } = object.metadata;
  const kept = keepCells(cells, type.columns, { createdAt: Date.parse(metadata.creationTimestamp ?? ''), now });
  const printed = type.kind === 'Pod' && typeof cells[2] === 'string' ? cells[2] : undefined;
  const state = stateOf({ ...object, kind: type.kind }, printed);
  const relationships = relationshipsOf({ ...object, kind: type.kind });
  const shownAnnotations = type.withoutBodies ? withoutKey(annotations, lastApplied) : annotations;
  return {
    id: metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    version: metadata.resourceVersion ?? '',
    created: metadata.creationTimestamp ?? '',
    state: state.name,
    error: state.error,
    transitioning: state.transitioning,
    metadata: JSON.stringify({
      ...metadata,
      ...(shownAnnotations ? { annotations: shownAnnotations } : {}),
      ...(relationships.length > 0 ? { relationships } : {}),
      state: { name: state.name, error: state.error, transitioning: state.transitioning, message: state.message },
    }).slice(1, -1),
    managed: managedFields ? JSON.stringify(managedFields) : '',
    cells: JSON.stringify(kept),
    rest: type.withoutBodies ? secretType(type, cells) : restOf(object as unknown as Record<string, unknown>),
  };
}

/** The one field of a secret's body that its table tells. */
function secretType({ kind }: RowType, cells: readonly unknown[]): string {
  return kind === 'Secret' && typeof cells[1] === 'string' ? `,"_type":${JSON.stringify(cells[1])}` : '';
}

function withoutKey(from: Readonly<Record<string, string>> | undefined, key: string) {
  if (!from || !Object.hasOwn(from, key)) return from;
  const { [key]: _, ...others } = from;
  return others;
}

function restOf(object: Record<string, unknown>): string {
  let text = '';
  for (const [key, value] of Object.entries(object)) {
    if (key === 'apiVersion' || key === 'kind' || key === 'metadata' || value === undefined) continue;
    const shown = (reserved as readonly string[]).includes(key) ? `_${key}` : key;
    text += `,${JSON.stringify(shown)}:${JSON.stringify(key === 'status' ? withConditions(value) : value)}`;
  }
  return text;
}

/** Conditions as dashboards read them: each says whether it is an error or on the way. */
function withConditions(status: unknown): unknown {
  if (typeof status !== 'object' || status === null) return status;
  const { conditions } = status as { conditions?: unknown };
  if (!Array.isArray(conditions)) return status;
  const shown = conditions.map((one: unknown) => {
    if (typeof one !== 'object' || one === null) return one;
    const { reason, status: is, lastTransitionTime = '' } = one as Record<string, unknown>;
    return {
      lastUpdateTime: lastTransitionTime,
      ...one,
      error: reason === 'Error',
      transitioning: is === 'Unknown' && reason !== 'Error',
    };
  });
  return { ...status, conditions: shown };
}

/** The pieces that a row is shown from. */
export type RowPieces = Pick<Row, 'id' | 'namespace' | 'name' | 'metadata' | 'managed' | 'cells' | 'rest'>;

/** The JSON of a row behind its id, type and links; `managed` says whether managedFields are in. */
export function joinPieces(
  row: RowPieces,
  type: Pick<RowType, 'apiVersion' | 'kind'>,
  options: { readonly now: number; readonly managed: boolean },
): string {
  const fields = JSON.stringify(showCells(JSON.parse(row.cells) as unknown[], options.now));
  const managed = options.managed && row.managed ? `,"managedFields":${row.managed}` : '';
  const top = `"apiVersion":${JSON.stringify(type.apiVersion)},"kind":${JSON.stringify(type.kind)}`;
  return `${top},"metadata":{${row.metadata},"fields":${fields}${managed}}${row.rest}`;
}

/** Gives the row as an object that a field's path is looked up in. */
export type Comparables = (keys: readonly string[]) => unknown;

/** Only what a path leads into is parsed, and once for all paths. */
export function comparables(row: Pick<Row, 'id' | 'metadata' | 'cells' | 'rest'>): Comparables {
  let [rest, fields, metadata]: unknown[] = [];
  return keys => {
    if (keys[0] === 'id') return { id: row.id };
    if (keys[0] !== 'metadata') return (rest ??= row.rest === '' ? {} : JSON.parse(`{${row.rest.slice(1)}}`));
    if (keys[1] === 'fields')
      return (fields ??= { metadata: { fields: comparableCells(JSON.parse(row.cells) as unknown[]) } });
    return (metadata ??= { metadata: JSON.parse(`{${row.metadata}}`) as unknown });
  };
}
