/**
 * Resource ⇄ v3: metadata, spec and status lifted to one level, references renamed, and back again. Each step is
 * reversible for what a client may write; what only the server may write survives a round trip untouched.
 */
import type { Metadata, Resource } from '@drover/base/pure';
import type { Field, Fields } from './field.ts';
import { v3Name } from './schema.ts';
import type { TypeDeclaration } from './type.ts';

/** The plain data of a v3 resource, before links and actions. */
export type V3Data = Record<string, unknown>;

export const creatorAnnotation = 'field.cattle.io/creatorId';

/** The id that v3 knows a resource by: its name, or `namespace:name`. */
export function v3Id(metadata: { readonly name: string; readonly namespace?: string }): string {
  return metadata.namespace ? `${metadata.namespace}:${metadata.name}` : metadata.name;
}

/** As long as names can be in Kubernetes. */
const maxNameLength = 253;

/** The name and namespace in a v3 id; undefined where it has not the parts that the type's ids have. */
export function parseV3Id(type: TypeDeclaration, id: string): { name: string; namespace?: string } | undefined {
  const parts = id.split(':');
  if (parts.some(part => part === '' || part.length > maxNameLength || part.includes('/'))) return undefined;
  if (type.scope === 'cluster') return parts.length === 1 ? { name: parts[0]! } : undefined;
  return parts.length === 2 ? { namespace: parts[0]!, name: parts[1]! } : undefined;
}

export function toV3(type: TypeDeclaration, resource: Resource): V3Data {
  const { metadata } = resource;
  const out: V3Data = {
    id: v3Id(metadata),
    type: type.id,
    baseType: type.id,
    annotations: metadata.annotations ?? {},
    created: metadata.creationTimestamp,
    creatorId: metadata.annotations?.[creatorAnnotation] ?? null,
    labels: metadata.labels ?? {},
    uuid: metadata.uid,
  };
  if (metadata.deletionTimestamp) out['removed'] = metadata.deletionTimestamp;
  if (metadata.ownerReferences) out['ownerReferences'] = metadata.ownerReferences;
  if (type.v3.nameFrom === 'metadata') out['name'] = metadata.name;
  if (type.scope === 'namespaced') out['namespaceId'] = null;
  lift(out, type.status && type.v3.status === 'lifted' ? resource.status : undefined, type.status);
  lift(out, resource.spec, type.spec);
  lift(out, resource, type.top);
  if (type.v3.status === 'nested' && resource.status !== undefined) {
    const status: V3Data = {};
    lift(status, resource.status, type.status);
    out['status'] = status;
  }
  for (const [name, time] of Object.entries(dates(type, out))) out[`${name}TS`] = time;
  return out;
}

function lift(out: V3Data, from: unknown, fields: Fields | undefined): void {
  const values = (from ?? {}) as Record<string, unknown>;
  for (const [name, field] of Object.entries(fields ?? {})) {
    if (field.secret || field.writeOnly || field.type === 'password') continue;
    const shown = v3Name(name, field);
    const value = values[name];
    if (value !== undefined) out[shown] = shape(value, field);
    else if (field.default !== undefined) out[shown] ??= field.default;
    else if (field.type.startsWith('reference[')) out[shown] ??= null;
  }
}

/** Renames within structs as at the top; unknown keys of a struct stay out. */
function shape(value: unknown, field: Field): unknown {
  if (!field.of || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(item => shape(item, field));
  if (field.type.startsWith('map['))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, shape(item, { ...field, type: 'struct' })]),
    );
  const out: V3Data = {};
  lift(out, value, field.of);
  return out;
}

/** Milliseconds beside each date, for clients that sort by them. */
function dates(type: TypeDeclaration, out: V3Data): Record<string, number> {
  const names = ['created', 'removed'];
  for (const fields of [type.top, type.spec, type.status]) {
    for (const [name, field] of Object.entries(fields ?? {}))
      if (field.type === 'date') names.push(v3Name(name, field));
  }
  return Object.fromEntries(
    names.filter(name => typeof out[name] === 'string').map(name => [name, Date.parse(out[name] as string)]),
  );
}

export interface FromV3 {
  readonly top: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
  readonly metadata: Partial<Metadata>;
}

/** The parts of a resource that checked v3 input makes up; what the input does not name is not there. */
export function fromV3(type: TypeDeclaration, input: Readonly<V3Data>): FromV3 {
  const metadata: { -readonly [K in keyof Metadata]?: Metadata[K] } = {};
  if (input['labels']) metadata.labels = input['labels'] as Record<string, string>;
  if (input['annotations']) metadata.annotations = input['annotations'] as Record<string, string>;
  if (type.v3.nameFrom === 'metadata' && typeof input['name'] === 'string' && input['name'] !== '')
    metadata.name = input['name'];
  const spec = type.spec ? sink(input, type.spec) : undefined;
  return { top: sink(input, type.top ?? {}), spec, metadata };
}

function sink(input: Readonly<V3Data>, fields: Fields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = input[v3Name(name, field)];
    if (value !== undefined) out[name] = unshape(value, field);
  }
  return out;
}

function unshape(value: unknown, field: Field): unknown {
  if (!field.of || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(item => unshape(item, field));
  if (field.type.startsWith('map['))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, unshape(item, { ...field, type: 'struct' })]),
    );
  return sink(value as V3Data, field.of);
}
