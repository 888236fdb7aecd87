/**
 * Paths of fields in `/v1` queries: `spec.containers.image`, `metadata.labels[k8s.io/arch]`, `metadata.fields[3][0]`. A list on the
 * way is looked through, and the values of all of its items are joined by `|`.
 */
import { invalid } from '@drover/base';

const maxLength = 512;
const step = /([^.[\]]+)|\[([^[\]]*)\]/gy;
/** Between these, what follows is one key, dots and all. */
const keyed = /^(metadata\.(?:labels|annotations))\.(.+)$/;

/** The keys from the top. Throws Invalid where the field is no path. */
export function parseFieldPath(field: string): string[] {
  if (field.length > maxLength) throw invalid(field.slice(0, 64), `must have at most ${maxLength} characters`);
  const found = keyed.exec(field);
  if (found) return [...found[1]!.split('.'), found[2]!];
  const keys: string[] = [];
  step.lastIndex = 0;
  let at = 0;
  while (at < field.length) {
    if (keys.length > 0 && field[at] === '.') at++;
    step.lastIndex = at;
    const part = step.exec(field);
    if (!part)
      throw invalid('field', `"${field}" is no path of a field, as in metadata.labels[a/b]`, 'InvalidBodyContent');
    keys.push(part[1] ?? part[2]!);
    at = step.lastIndex;
  }
  if (keys.length === 0) throw invalid('field', 'must name a field', 'InvalidBodyContent');
  return keys;
}

/** What is there as one value to compare and sort by; undefined where there is nothing. */
export function valueAt(object: unknown, keys: readonly string[]): string | number | undefined {
  const values = collect(object, keys, 0);
  if (values.length === 0) return undefined;
  if (values.length === 1) return values[0];
  return values.join('|');
}

function collect(value: unknown, keys: readonly string[], at: number): (string | number)[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) {
    const index = keys[at];
    if (index !== undefined && /^\d+$/.test(index)) return collect(value[Number(index)], keys, at + 1);
    return value.flatMap(item => collect(item, keys, at));
  }
  if (at < keys.length) {
    if (typeof value !== 'object' || !Object.hasOwn(value, keys[at]!)) return [];
    return collect((value as Record<string, unknown>)[keys[at]!], keys, at + 1);
  }
  if (typeof value === 'number' || typeof value === 'string') return [value];
  if (typeof value === 'boolean') return [String(value)];
  return [];
}
