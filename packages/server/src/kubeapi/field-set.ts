/**
 * Sets of fields, as managedFields keeps them: each leaf of an object has a path. Maps and structs are owned key by key,
 * lists whole, but for finalizers (a set) and ownerReferences (by uid).
 */
import type { Fields, TypeDeclaration } from '@drover/api';
import { badRequest } from '@drover/base';
import { isHidden, isObject, type Json, type Shape, shapeOf } from './shape.ts';

/** A path as JSON text: `["f:spec","f:displayName"]`. */
export type Path = string;

/** The values at the leaves of what a client may own, as JSON text; status and what the server fills in are not among them. */
export function leavesOf(object: Json, declaration: TypeDeclaration): Map<Path, string> {
  const out = new Map<Path, string>();
  const put = (path: readonly string[], value: unknown) => out.set(JSON.stringify(path), JSON.stringify(value));
  const walk = (value: unknown, shape: Shape, path: readonly string[]): void => {
    if (value === undefined || value === null) return;
    const inner = shape.kind === 'struct' || shape.kind === 'map';
    if (!inner || !isObject(value) || Object.keys(value).length === 0) {
      put(path, value);
      return;
    }
    if (shape.kind === 'struct') walkFields(value, shape.fields, path);
    else for (const [key, item] of Object.entries(value)) walk(item, shape.item, [...path, `f:${key}`]);
  };
  const walkFields = (value: Json, fields: Fields, path: readonly string[]): void => {
    for (const [name, field] of Object.entries(fields))
      if (!isHidden(field)) walk(value[name], shapeOf(field), [...path, `f:${name}`]);
  };
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  for (const part of ['labels', 'annotations']) {
    const given = metadata[part];
    if (isObject(given))
      for (const [key, value] of Object.entries(given)) put(['f:metadata', `f:${part}`, `f:${key}`], value);
  }
  for (const one of listOf(metadata['finalizers']))
    put(['f:metadata', 'f:finalizers', `v:${JSON.stringify(one)}`], one);
  for (const one of listOf(metadata['ownerReferences'])) {
    const uid = JSON.stringify({ uid: isObject(one) ? one['uid'] : '' });
    put(['f:metadata', 'f:ownerReferences', `k:${uid}`], one);
  }
  walkFields(object, declaration.top ?? {}, []);
  if (isObject(object['spec'])) walkFields(object['spec'], declaration.spec ?? {}, ['f:spec']);
  return out;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The object with the value at the path, or without it; the object itself stays as it is. */
export function withLeaf(object: unknown, path: readonly string[], value: string | undefined): unknown {
  const [head = '', ...rest] = path;
  const name = head.slice(2);
  if (head.startsWith('v:') || head.startsWith('k:')) {
    const is = head.startsWith('v:')
      ? (one: unknown) => JSON.stringify(one) === name
      : (one: unknown) => isObject(one) && JSON.stringify({ uid: one['uid'] }) === name;
    const list = listOf(object);
    if (value === undefined) return list.filter(one => !is(one));
    const parsed: unknown = JSON.parse(value);
    return list.some(is) ? list.map(one => (is(one) ? parsed : one)) : [...list, parsed];
  }
  const from = isObject(object) ? object : {};
  if (rest.length === 0) {
    const { [name]: _, ...others } = from;
    return value === undefined ? others : { ...from, [name]: JSON.parse(value) };
  }
  if (value === undefined && from[name] === undefined) return from;
  return { ...from, [name]: withLeaf(from[name], rest, value) };
}

/** FieldsV1, as it goes over the wire. */
export function encodeFields(paths: Iterable<Path>): Json {
  const root: Json = {};
  for (const path of [...paths].sort()) {
    let at = root;
    for (const part of JSON.parse(path) as string[]) at = (at[part] ??= {}) as Json;
  }
  return root;
}

const deepest = 16;

/** The leaves of a FieldsV1. Throws BadRequest for one that can't be read. */
export function decodeFields(fields: unknown): Set<Path> {
  const out = new Set<Path>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (!isObject(value) || path.length > deepest)
      throw badRequest('metadata.managedFields: fieldsV1 is not a field set');
    const inner = Object.entries(value).filter(([part]) => part !== '.');
    if (inner.length === 0 && path.length > 0) out.add(JSON.stringify(path));
    for (const [part, next] of inner) {
      if (!/^[fvk]:/.test(part)) throw badRequest(`metadata.managedFields: "${part}" is no path element`);
      walk(next, [...path, part]);
    }
  };
  walk(fields, []);
  return out;
}

/** As conflicts are told: `.spec.displayName`, `.metadata.labels.team`. */
export function formatPath(path: Path): string {
  return (JSON.parse(path) as string[])
    .map(part => (part.startsWith('f:') ? `.${part.slice(2)}` : `[${part.slice(2)}]`))
    .join('');
}
