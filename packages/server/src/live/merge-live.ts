/** How a PUT changes a live resource as v3 shows it: structs are merged, everything else is replaced, system labels stay. */
import type { TypeDeclaration, V3Data } from '@drover/api';
import { mergeLabels } from '../api/merge.ts';

type Schema = NonNullable<TypeDeclaration['schema']>;
type Labels = Readonly<Record<string, string>> | undefined;

const labelFields = new Set(['labels', 'annotations', 'workloadLabels', 'workloadAnnotations']);

export interface MergeOptions {
  readonly schema: Schema;
  /** Drops what a client may set and did not. */
  readonly replace: boolean;
}

export function mergeLive(seen: V3Data, input: V3Data, { schema, replace }: MergeOptions): V3Data {
  const out = mergeStruct(seen, input, { fields: schema.fields, structs: schema.structs, replace });
  for (const name of labelFields) {
    if (name in schema.fields) out[name] = mergeLabels(seen[name] as Labels, (input[name] ?? undefined) as Labels);
  }
  return out;
}

interface Within {
  readonly fields: Schema['fields'];
  readonly structs: Schema['structs'];
  readonly replace: boolean;
}

function mergeStruct(seen: V3Data, input: V3Data, { fields, structs, replace }: Within): V3Data {
  const out: V3Data = {};
  for (const [name, field] of Object.entries(fields)) {
    const [old, said] = [seen[name], input[name]];
    if (!(name in input)) {
      if (old !== undefined && !(replace && field.update)) out[name] = old;
      continue;
    }
    const struct = structs[field.type];
    out[name] =
      struct && isObject(old) && isObject(said) ? mergeStruct(old, said, { fields: struct, structs, replace }) : said;
  }
  return out;
}

const isObject = (value: unknown): value is V3Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
