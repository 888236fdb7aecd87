/**
 * What a client asks to be left of each object: `include`, `exclude`, `excludeValues`. Nearly all ask for managedFields to be left out
 * and nothing else, which costs nothing; anything else takes the object apart.
 */
import { invalid } from '@drover/base';
import { parseFieldPath } from './cache/field-path.ts';

export interface Shape {
  /** Whether managedFields are wanted. */
  readonly managed: boolean;
  /** Whether nothing is left of them but their metadata. */
  readonly metadataOnly: boolean;
  /** What else is to be done with the JSON of an object. */
  readonly change?: (text: string) => string;
}

const maxPaths = 50;
const managedFields = 'metadata.managedFields';

type Json = Record<string, unknown>;

/** Reads it from the query. Throws Invalid naming the parameter. */
export function parseShape(query: URLSearchParams): Shape {
  const read = (name: string) => {
    const found = query.getAll(name).filter(path => path !== '');
    if (found.length > maxPaths) throw invalid(name, `must be given at most ${maxPaths} times`);
    return found;
  };
  const include = read('include').map(parseFieldPath);
  const excluded = read('exclude');
  const exclude = excluded.filter(path => path !== managedFields).map(parseFieldPath);
  const blank = read('excludeValues').map(parseFieldPath);
  const managed = !excluded.includes(managedFields);
  if (include.length + exclude.length + blank.length === 0) return { managed, metadataOnly: false };
  return {
    managed,
    metadataOnly: include.length > 0 && include.every(([first]) => first === 'metadata'),
    change: text => {
      const whole = JSON.parse(text) as Json;
      const kept = include.length > 0 ? pick(whole, include) : whole;
      for (const path of exclude) drop(kept, path, 0);
      for (const path of blank) blankValues(kept, path, 0);
      return JSON.stringify(kept);
    },
  };
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What makes an object one of `/v1` stays. */
function pick(whole: Json, paths: readonly (readonly string[])[]): Json {
  const { id, type, links } = whole;
  const kept: Json = { id, type, links };
  for (const path of paths) copy(whole, kept, path);
  return kept;
}

function copy(from: Json, to: Json, [key = '', ...rest]: readonly string[]): void {
  if (!Object.hasOwn(from, key)) return;
  const value = from[key];
  if (rest.length === 0 || !isObject(value)) {
    to[key] = value;
    return;
  }
  if (!isObject(to[key])) to[key] = {};
  copy(value, to[key] as Json, rest);
}

function drop(value: unknown, path: readonly string[], at: number): void {
  if (Array.isArray(value)) for (const item of value) drop(item, path, at);
  if (!isObject(value)) return;
  const key = path[at]!;
  if (at === path.length - 1) delete value[key];
  else drop(value[key], path, at + 1);
}

function blankValues(value: unknown, path: readonly string[], at: number): void {
  if (Array.isArray(value)) for (const item of value) blankValues(item, path, at);
  if (!isObject(value)) return;
  if (at < path.length) blankValues(value[path[at]!], path, at + 1);
  else for (const key of Object.keys(value)) value[key] = '';
}
