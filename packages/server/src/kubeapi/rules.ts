/**
 * The rules of v3 over a write through the Kubernetes API: rights, validation and what each type checks of its own (that
 * nobody gives more than he has, above all). Nothing is stored here; what is let through comes back as it is to be stored.
 */
import {
  checkInput,
  type Field,
  type Fields,
  fromV3,
  schemaFields,
  structSchemas,
  toV3,
  type V3Data,
  v3Name,
} from '@drover/api';
import { isDnsLabel, type Resource } from '@drover/base';
import { createdBy } from '../api/created-by.ts';
import { namespaceOf } from '../api/crud.ts';
import { mayChange, requireNoObjection } from '../api/may-change.ts';
import { mergeLabels, mergeStructs } from '../api/merge.ts';
import { preparedCreate, preparedUpdate } from '../api/prepared.ts';
import { showData } from '../api/show.ts';
import type { Place, Verb } from '../auth/access.ts';
import { refusal } from '../explain/refusal.ts';
import type { Call } from './call.ts';
import { leavesOf } from './field-set.ts';
import type { AnyResource } from './kube-type.ts';
import { isObject, type Json, shapeOf } from './shape.ts';
import { type Cause, invalidFields } from './status.ts';

/** Controllers clean up behind what is deleted; whoever could take their marks away could leave things behind in clusters. */
const ourFinalizer = /^controller\.cattle\.io\//;

export function requireMay(call: Call, verb: 'update' | 'delete', seen: AnyResource): void {
  const { request, type } = call;
  const { served } = type;
  const { name, namespace } = seen.metadata;
  const subject = served.behaviour.source ? (showData(request, served, seen) as never) : seen;
  if (!mayChange(request, served, verb, subject)) throw refused(call, verb, { name, namespace });
  requireNoObjection(request, served, verb, subject);
}

function refused({ request, type }: Call, verb: Verb, place: Place) {
  const { deps, caller } = request;
  const explain = { caches: deps.caches, access: deps.auth.access };
  const { resource, group } = type.declaration;
  const text = `User "${caller.userId}" cannot ${verb} resource "${resource}" in API group "${group}" here`;
  return refusal(explain, caller, { text, wanted: { verb, type: type.id, place } });
}

export interface Checked {
  readonly input: V3Data;
  readonly draft: Json & { readonly metadata: Json };
}

/** The draft of a new resource, once the caller may make it and v3 would take it. */
export async function checkCreate(call: Call, object: Json, metadata: Json): Promise<Checked> {
  const { request, type, namespace } = call;
  const { declaration, served } = type;
  requireFreeName(call, metadata);
  const whole = { ...object, metadata, status: undefined } as unknown as Resource;
  const given = { ...withoutEmpty(toV3(declaration, whole)), ...taken(object, declaration.top) };
  const structs = structSchemas(declaration);
  const checked = checkInput(given, schemaFields(declaration), { mode: 'create', structs });
  const input = await preparedCreate(request, served, checked);
  const place = namespaceOf(declaration, input);
  if (place !== namespace) throw one('metadata.namespace', `must be "${place ?? ''}", where what it says belongs`);
  const may = served.behaviour.mayCreate
    ? served.behaviour.mayCreate(request, input)
    : request.deps.auth.access.may(request.caller, 'create', type.id, { namespace });
  if (!may) throw refused(call, 'create', { namespace });
  const parts = fromV3(declaration, input);
  const theirs = listOf(metadata['finalizers']).filter(name => !ourFinalizer.test(name));
  const draft = {
    ...parts.top,
    ...(parts.spec ? { spec: parts.spec } : {}),
    metadata: {
      ...pick(metadata, ['name', 'generateName', 'ownerReferences']),
      // As they came: v3 trims what it is sent, and kubectl compares what it wrote with what is there.
      ...createdBy(request.caller.userId, {
        labels: { ...parts.metadata.labels, ...(metadata['labels'] as Labels | undefined) },
        annotations: { ...parts.metadata.annotations, ...(metadata['annotations'] as Labels | undefined) },
      }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(theirs.length > 0 ? { finalizers: theirs } : {}),
    },
  };
  return { input, draft };
}

/** The resource as it is to be, once the caller may change it so and v3 would take it. */
export async function checkUpdate(
  call: Call,
  old: AnyResource,
  { object, metadata }: { readonly object: Json; readonly metadata: Json },
): Promise<{ readonly input: V3Data; readonly next: AnyResource; readonly isDesired: boolean }> {
  const { request, type } = call;
  const { declaration, served } = type;
  requireMay(call, 'update', old);
  requireSameFixed(old, object, declaration.top, '');
  requireSameFixed(old.spec, object['spec'], declaration.spec, 'spec.');
  const before = old as unknown as Json;
  const filled = {
    ...object,
    ...withNulls(object, before, declaration.top),
    ...(declaration.spec ? { spec: withNulls(object['spec'], before['spec'], declaration.spec) } : {}),
    metadata: { ...old.metadata, labels: metadata['labels'] ?? {}, annotations: metadata['annotations'] ?? {} },
    status: undefined,
  } as unknown as Resource;
  const structs = structSchemas(declaration);
  const checked = checkInput(toV3(declaration, filled), schemaFields(declaration), { mode: 'update', structs });
  const input = await preparedUpdate(request, served, { input: checked, seen: old });
  const place = namespaceOf(declaration, input);
  if (place !== undefined && place !== old.metadata.namespace)
    throw one('metadata.namespace', `must be "${place}", where what it says belongs`);
  const parts = fromV3(declaration, input);
  const merged = (from: unknown, change: Json, fields: Fields = {}) =>
    withoutNulls(mergeStructs((from ?? {}) as V3Data, change, { fields, replace: false }), fields);
  const top = merged(old, parts.top, declaration.top);
  const absent = Object.fromEntries(Object.keys(declaration.top ?? {}).map(name => [name, undefined]));
  const next = {
    ...old,
    ...absent,
    ...top,
    ...(parts.spec ? { spec: merged(old.spec, parts.spec, declaration.spec) } : {}),
    metadata: {
      ...old.metadata,
      labels: same(mergeLabels(old.metadata.labels, (metadata['labels'] ?? {}) as Labels), old.metadata.labels),
      annotations: same(
        mergeLabels(old.metadata.annotations, (metadata['annotations'] ?? {}) as Labels),
        old.metadata.annotations,
      ),
      finalizers: finalizersOf(call, old, metadata),
      ownerReferences: metadata['ownerReferences'] ?? undefined,
    },
  } as unknown as AnyResource;
  return { input, next, isDesired: isDesiredChange(call, old, next) };
}

type Labels = Readonly<Record<string, string>>;

const same = (next: Labels | undefined, old: Labels | undefined) =>
  next && Object.keys(next).length === 0 && !old ? undefined : next;

/** Whether more than metadata changes. */
function isDesiredChange({ type }: Call, old: AnyResource, next: AnyResource): boolean {
  const desired = (one: AnyResource) =>
    JSON.stringify([...leavesOf({ ...one, metadata: {} } as unknown as Json, type.declaration)].sort());
  return desired(old) !== desired(next);
}

function finalizersOf({ request }: Call, old: AnyResource, metadata: Json): string[] | undefined {
  const wanted = listOf(metadata['finalizers']);
  const there = old.metadata.finalizers ?? [];
  if (request.deps.auth.access.isAdmin(request.caller))
    return wanted.length > 0 || there.length > 0 ? wanted : undefined;
  const kept = there.filter(name => ourFinalizer.test(name) && !wanted.includes(name));
  const all = [...wanted.filter(name => !ourFinalizer.test(name) || there.includes(name)), ...kept];
  return all.length > 0 || there.length > 0 ? all : undefined;
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value : []);

/** A cluster's and a project's name is a namespace of the server's own: none may be chosen that could be another's. */
function requireFreeName({ type }: Call, metadata: Json): void {
  const { id, namePrefix } = type.declaration;
  const { name, generateName } = metadata;
  const given = typeof name === 'string' && name !== '' ? name : undefined;
  if (type.served.behaviour.create && (given || generateName))
    throw one('metadata.name', `a ${id} gets its name from the server: leave it out`);
  if (id !== 'cluster' && id !== 'project') return;
  const fits = (text: string) => text.startsWith(namePrefix) && !text.slice(namePrefix.length).includes('-');
  if (given !== undefined && !(fits(given) && isDnsLabel(given) && given.length > namePrefix.length))
    throw one('metadata.name', `Invalid value: "${given}": must be ${namePrefix} and lower-case letters and digits`);
  if (given === undefined && generateName && generateName !== namePrefix)
    throw one('metadata.generateName', `must be ${namePrefix}`);
}

const one = (field: string, message: string) => {
  const cause: Cause = { reason: 'FieldValueInvalid', message, field };
  return invalidFields([cause]);
};

/** What is set once stays; what only the server sets is left as it is, whatever was sent. */
function requireSameFixed(old: unknown, next: unknown, fields: Fields | undefined, path: string): void {
  for (const [name, field] of Object.entries(fields ?? {})) {
    if (field.update !== false || field.create === false || field.writeOnly) continue;
    const [before, after] = [old, next].map(value => (isObject(value) ? value[name] : undefined));
    if (after === undefined && !field.required) continue;
    if (JSON.stringify(before ?? field.default) !== JSON.stringify(after ?? field.default))
      throw one(path + name, 'Invalid value: field is immutable');
  }
}

/** What was there and is no more is set to null, so that v3's rules see that it goes. */
function withNulls(next: unknown, old: unknown, fields: Fields | undefined): Json {
  const out: Json = isObject(next) ? { ...next } : {};
  if (!isObject(old)) return out;
  for (const [name, field] of Object.entries(fields ?? {})) {
    const shape = shapeOf(field);
    if (out[name] === undefined) {
      if (old[name] !== undefined && field.default === undefined && !field.secret) {
        if (field.required) throw one(v3Name(name, field), 'Required value');
        out[name] = null;
      }
    } else if (shape.kind === 'struct') out[name] = withNulls(out[name], old[name], shape.fields);
  }
  return out;
}

function withoutNulls(value: Json, fields: Fields): Json {
  const out: Json = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner === null || inner === undefined) continue;
    const field: Field | undefined = fields[name];
    const shape = field && shapeOf(field);
    out[name] = shape?.kind === 'struct' && isObject(inner) ? withoutNulls(inner, shape.fields) : inner;
  }
  return out;
}

const withoutEmpty = (data: V3Data): V3Data =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));

/** What is taken on create and never shown, such as a user's password. */
function taken(object: Json, fields: Fields | undefined): V3Data {
  const out: V3Data = {};
  for (const [name, field] of Object.entries(fields ?? {}))
    if (field.writeOnly && object[name] !== undefined) out[v3Name(name, field)] = object[name];
  return out;
}

function pick(from: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.filter(name => from[name]).map(name => [name, from[name]]));
}
