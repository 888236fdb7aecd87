/** How a PUT changes what is there: values and lists are replaced, structs merged, plain maps replaced; system labels stay. */
import type { Field, Fields, V3Data } from '@drover/api';

/** The fields with the changes in them. `replace` first drops what a client may set and did not. */
export function mergeStructs(
  old: V3Data,
  change: V3Data,
  { fields, replace }: { fields: Fields; replace: boolean },
): V3Data {
  const out: V3Data = {};
  for (const [name, field] of Object.entries(fields)) {
    const dropped = replace && field.update !== false && !field.secret && !(name in change);
    if (name in old && !dropped) out[name] = old[name];
    if (!(name in change)) {
      if (dropped) out[name] = undefined;
      continue;
    }
    out[name] = isStruct(field) ? mergeStruct(out[name], change[name], { field, replace }) : change[name];
  }
  return out;
}

function isStruct(field: Field): boolean {
  return field.of !== undefined && !/^(array|map)\[/.test(field.type);
}

function mergeStruct(old: unknown, change: unknown, { field, replace }: { field: Field; replace: boolean }): unknown {
  if (typeof old !== 'object' || old === null || typeof change !== 'object' || change === null) return change;
  return mergeStructs(old as V3Data, change as V3Data, { fields: field.of!, replace });
}

type Labels = Readonly<Record<string, string>> | undefined;

/**
 * Labels or annotations: not sent = kept. Sent = replaced, except that keys of the system (`cattle.io/`) can be neither
 * changed nor left out, and those of `field.cattle.io/` can be set but not left out.
 */
export function mergeLabels(old: Labels, change: Labels): Labels {
  if (!change) return old;
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(old ?? {})) if (key.includes('cattle.io/')) out[key] = value;
  for (const [key, value] of Object.entries(change)) {
    const protectedKey =
      key.includes('cattle.io/') && (!key.startsWith('field.cattle.io/') || key === 'field.cattle.io/creatorId');
    if (!protectedKey) out[key] = value;
  }
  return out;
}
