/**
 * A cluster's object ⇄ v3: metadata and spec lifted, the type's steps, then only what v3's schema has, with its defaults.
 * Back again gives what v3 can say of an object; an update keeps the rest of what is in the cluster.
 */
import type { Metadata, Resource } from '@drover/base/pure';
import type { Structs } from '../input.ts';
import { creatorAnnotation, type V3Data } from '../projection.ts';
import type { SchemaField, SchemaFields } from '../schema.ts';
import type { LiveType } from './live-type.ts';
import { type Data, isData, runFromV3, runToV3 } from './ops.ts';

/** An object of a cluster's API, whatever its kind. */
export type LiveObject = Resource & Data;

export interface LivePlace {
  /** The project that the object's namespace is in. */
  readonly projectId?: string;
}

/** The id that v3 knows the object by: `[kind:]namespace:name`, or its name alone. */
export function liveId({ idPrefix = '', namespaced }: LiveType, { name, namespace }: Metadata): string {
  return idPrefix + (namespaced ? `${namespace}:${name}` : name);
}

/** The namespace and name in an id; undefined where it is none of the type's. */
export function parseLiveId(type: LiveType, id: string): { name: string; namespace?: string } | undefined {
  const { idPrefix = '', namespaced } = type;
  const bare = idPrefix && id.toLowerCase().startsWith(idPrefix.toLowerCase()) ? id.slice(idPrefix.length) : id;
  const parts = bare.split(':');
  if (parts.some(part => part === '' || part.includes('/'))) return undefined;
  if (!namespaced) return parts.length === 1 ? { name: parts[0]! } : undefined;
  return parts.length === 2 ? { namespace: parts[0]!, name: parts[1]! } : undefined;
}

export function toLiveV3(type: LiveType, object: LiveObject, { projectId }: LivePlace = {}): V3Data {
  const { apiVersion: _, kind: __, metadata, spec = {}, ...rest } = structuredClone(object) as LiveObject;
  const { name, namespace, annotations = {}, labels = {}, uid, creationTimestamp, deletionTimestamp } = metadata;
  const data: Data = { ...rest, labels, annotations, ...(namespace ? { namespaceId: namespace } : {}) };
  if (type.hasSpec && isData(spec)) {
    runToV3(type.spec, spec);
    Object.assign(data, spec);
  }
  runToV3(type.ops, data);
  const { fields, structs } = type.declaration.schema!;
  const out = shown(data, fields, structs);
  qualify(out, fields, { structs, namespace, to: 'v3' });
  return {
    ...out,
    id: liveId(type, metadata),
    type: type.id,
    baseType: type.baseType ?? type.id,
    name,
    ...(type.namespaced ? { namespaceId: namespace } : {}),
    ...(fields['projectId'] ? { projectId: projectId ?? null } : {}),
    uuid: uid,
    created: creationTimestamp,
    createdTS: Date.parse(creationTimestamp ?? ''),
    creatorId: object.metadata.annotations?.[creatorAnnotation] ?? null,
    ...(metadata.ownerReferences ? { ownerReferences: metadata.ownerReferences } : {}),
    ...(deletionTimestamp ? { removed: deletionTimestamp, removedTS: Date.parse(deletionTimestamp) } : {}),
  };
}

/** What v3 can say of an object: without name, namespace and whatever else only the server writes. */
export function fromLiveV3(type: LiveType, input: Readonly<V3Data>, namespace: string | undefined): LiveObject {
  const { name: _, namespaceId: __, projectId: ___, ...own } = structuredClone(input) as V3Data;
  const { fields, structs } = type.declaration.schema!;
  qualify(own, fields, { structs, namespace, to: 'kubernetes' });
  // Steps that need the namespace find it where v3 has it.
  const data: Data = { ...own, namespaceId: namespace };
  runFromV3(type.ops, data);
  const { labels, annotations, namespaceId: ____, status: _____, ...rest } = data;
  if (type.hasSpec) runFromV3(type.spec, rest);
  const metadata = { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  const { apiVersion, kind } = type;
  const body = type.hasSpec ? { spec: rest } : rest;
  return withoutNulls({ apiVersion, kind, metadata, ...body, ...type.fixed }) as LiveObject;
}

/** Only what the schema has, with defaults where nothing is, and null for references that lead nowhere. */
function shown(data: Data, fields: SchemaFields, structs: Structs): V3Data {
  const out: V3Data = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.writeOnly) continue;
    const value = data[name];
    if (value !== undefined && value !== null) out[name] = shownValue(value, field.type, structs);
    else if (field.default !== undefined) out[name] = field.default;
    else if (field.type.startsWith('reference[')) out[name] = null;
  }
  return out;
}

function shownValue(value: unknown, type: string, structs: Structs): unknown {
  const inner = /^(array|map)\[(.+)\]$/.exec(type);
  if (inner?.[1] === 'array' && Array.isArray(value)) return value.map(item => shownValue(item, inner[2]!, structs));
  if (!isData(value)) return value;
  if (inner)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shownValue(item, inner[2]!, structs)]));
  return structs[type] ? shown(value, structs[type], structs) : value;
}

/** References within the namespace: v3 writes them with it, Kubernetes without. */
const local = /^reference\[(persistentVolumeClaim|service|certificate)\]$/;

interface Qualify {
  readonly structs: Structs;
  readonly namespace: string | undefined;
  readonly to: 'v3' | 'kubernetes';
}

function qualify(data: Data, fields: SchemaFields, how: Qualify): void {
  for (const [name, field] of Object.entries(fields)) {
    const value = data[name];
    if (value !== undefined && value !== null) data[name] = qualified(value, field, how);
  }
}

function qualified(value: unknown, field: Pick<SchemaField, 'type'>, how: Qualify): unknown {
  const { structs, namespace, to } = how;
  const inner = /^(?:array|map)\[(.+)\]$/.exec(field.type)?.[1];
  if (inner && Array.isArray(value)) return value.map(item => qualified(item, { type: inner }, how));
  if (typeof value === 'string' && namespace && local.test(field.type)) {
    const prefix = `${namespace}:`;
    if (to === 'kubernetes') return value.startsWith(prefix) ? value.slice(prefix.length) : value;
    return value === '' || value.includes(':') ? value : prefix + value;
  }
  if (isData(value) && structs[field.type]) qualify(value, structs[field.type]!, how);
  return value;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(item => item !== null).map(withoutNulls);
  if (!isData(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]));
}

/**
 * The object as it is to be: `next` with all of `old` that v3 has no word for. `known` is what v3 can say of `old`: what is
 * there and not in `next` was taken out by the client. Lists are matched by name, as Kubernetes itself does.
 */
export function graft(next: unknown, old: unknown, known: unknown): unknown {
  if (Array.isArray(next) && Array.isArray(old)) {
    return next.map(item => {
      const same = (other: unknown) => isData(item) && isData(other) && item['name'] === other['name'];
      const before = isData(item) && item['name'] !== undefined ? old.find(same) : undefined;
      return before === undefined ? item : graft(item, before, Array.isArray(known) ? known.find(same) : undefined);
    });
  }
  if (!isData(next) || !isData(old)) return next;
  const said = isData(known) ? known : {};
  const out: Data = { ...next };
  for (const [key, value] of Object.entries(old)) {
    if (key in next) out[key] = graft(next[key], value, said[key]);
    else if (!(key in said)) out[key] = value;
  }
  return out;
}
