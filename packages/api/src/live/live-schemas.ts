/**
 * The v3 schemas of what lives in clusters, as clients know them: names, types and methods are data, not ours to choose.
 * Where a field of a struct is v3's own, the mapping says what it is in Kubernetes.
 */
import type { Structs } from '../input.ts';
import { innerType, type SchemaFields } from '../schema.ts';
import type { ActionDeclaration } from '../type.ts';
import data from './data/schemas.json' with { type: 'json' };

export type LiveContext = 'cluster' | 'project';

export interface LiveSchema {
  readonly pluralName: string;
  readonly fields: SchemaFields;
  readonly collectionMethods?: readonly ('GET' | 'POST')[];
  readonly resourceMethods?: readonly ('GET' | 'PUT' | 'DELETE')[];
  readonly resourceActions?: Readonly<Record<string, ActionDeclaration>>;
}

const schemas = data as unknown as Record<LiveContext, Readonly<Record<string, LiveSchema>>>;

/** The schema of a type or struct; it must be there. */
export function liveSchema(context: LiveContext, id: string): LiveSchema {
  const found = schemas[context][id];
  if (!found) throw new Error(`no v3 schema of ${id} for a ${context}`);
  return found;
}

/** The names of a struct's fields. */
export function fieldNames(context: LiveContext, id: string): readonly string[] {
  return Object.keys(liveSchema(context, id).fields);
}

/** Every struct that the fields lead to, by its id. */
export function structsOf(context: LiveContext, fields: SchemaFields): Structs {
  const out: Record<string, SchemaFields> = {};
  const visit = (some: SchemaFields): void => {
    for (const { type } of Object.values(some)) {
      const id = innerType(type);
      const struct = schemas[context][id];
      if (!struct || id in out) continue;
      out[id] = struct.fields;
      visit(struct.fields);
    }
  };
  visit(fields);
  return out;
}
