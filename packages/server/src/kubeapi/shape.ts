/**
 * Shape: what a declared field holds, as a tree. Pruning, validation, OpenAPI and the ownership of fields all walk it.
 */
import type { Field, Fields } from '@drover/api';

export type Shape =
  | { readonly kind: 'scalar'; readonly type: 'string' | 'integer' | 'number' | 'boolean'; readonly format?: string }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'map'; readonly item: Shape }
  | { readonly kind: 'struct'; readonly fields: Fields }
  | { readonly kind: 'any' };

const scalars: Readonly<Record<string, Shape>> = {
  boolean: { kind: 'scalar', type: 'boolean' },
  int: { kind: 'scalar', type: 'integer', format: 'int64' },
  float: { kind: 'scalar', type: 'number', format: 'double' },
  json: { kind: 'any' },
};
const text: Shape = { kind: 'scalar', type: 'string' };

export function shapeOf(field: Field): Shape {
  if (field.open) return { kind: 'any' };
  return shapeOfType(field.type, field.of);
}

function shapeOfType(type: string, of: Fields | undefined): Shape {
  const wrapped = /^(array|map)\[(.+)\]$/.exec(type);
  if (wrapped) return { kind: wrapped[1] === 'array' ? 'list' : 'map', item: shapeOfType(wrapped[2]!, of) };
  if (of) return { kind: 'struct', fields: of };
  return scalars[type] ?? text;
}

/** Whether no API shows it: what is encrypted, and what is only ever taken. */
export function isHidden(field: Field): boolean {
  return Boolean(field.secret || field.writeOnly) || field.type === 'password';
}

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The declared values, without those that no API shows, at any depth. */
export function visibleOf(value: unknown, fields: Fields | undefined): Json {
  const out: Json = {};
  if (!isObject(value)) return out;
  for (const [name, field] of Object.entries(fields ?? {})) {
    const inner = value[name];
    if (inner === undefined || inner === null || isHidden(field)) continue;
    out[name] = visibleValue(inner, shapeOf(field));
  }
  return out;
}

function visibleValue(value: unknown, shape: Shape): unknown {
  if (shape.kind === 'struct') return isObject(value) ? visibleOf(value, shape.fields) : value;
  if (shape.kind === 'list') return Array.isArray(value) ? value.map(item => visibleValue(item, shape.item)) : value;
  if (shape.kind === 'map' && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visibleValue(item, shape.item)]));
  return value;
}
