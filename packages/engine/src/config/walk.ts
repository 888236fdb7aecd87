/**
 * Holds a parsed file against the table of options: gathers every problem with its place, and gives a tree under the table's own names,
 * whichever spelling the file has (`kube-api`, `kube_api`, `kubeApi`).
 */
import type { Note, Option, Options } from './schema.ts';

export interface Problem extends Note {
  /** `nodes[0].role`. */
  readonly field: string;
}

/** Values under the table's names. */
export type Tree = { readonly [name: string]: unknown };

export function walk(value: unknown, options: Options): { readonly tree: Tree; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const tree = walkObject(value, { options, at: '', problems });
  return { tree, problems };
}

interface Walking {
  readonly at: string;
  readonly problems: Problem[];
}

const spelling = (key: string): string => key.toLowerCase().replaceAll(/[-_]/g, '');

function walkObject(value: unknown, { options, at, problems }: Walking & { readonly options: Options }): Tree {
  if (!isObject(value)) {
    problems.push({ field: at || 'file', severity: 'error', message: 'must be a map of options' });
    return {};
  }
  const names = new Map(Object.keys(options).map(name => [spelling(name), name]));
  const tree: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) {
    const name = names.get(spelling(key));
    const field = at ? `${at}.${key}` : key;
    if (name === undefined) {
      const near = nearest(key, Object.keys(options));
      const hint = near ? `; did you mean ${near}?` : '';
      problems.push({ field, severity: 'warning', message: `there is no such option${hint}` });
      continue;
    }
    if (one === null || one === undefined) continue;
    if (name in tree) {
      problems.push({ field, severity: 'error', message: `is there in two spellings of ${name}: keep one` });
      continue;
    }
    tree[name] = walkValue(one, { option: options[name]!, at: field, problems });
  }
  return tree;
}

function walkValue(value: unknown, { option, at, problems }: Walking & { readonly option: Option }): unknown {
  const wrong = (message: string) => {
    problems.push({ field: at, severity: 'error', message });
    return undefined;
  };
  if (option.note && !isEmpty(value)) problems.push({ field: at, ...option.note });
  switch (option.holds) {
    case 'any':
      return value;
    case 'text':
    case 'block':
      if (!['string', 'number', 'boolean'].includes(typeof value)) return wrong('must be text');
      return option.holds === 'text' && hasControl(value) ? wrong(oneLine) : String(value);
    case 'number': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return Number.isInteger(number) ? number : wrong('must be a whole number');
    }
    case 'bool':
      if (value === 'true' || value === 'false') return value === 'true';
      return typeof value === 'boolean' ? value : wrong('must be true or false');
    case 'texts': {
      if (hasControl(value)) return wrong(oneLine);
      if (typeof value === 'string') return [value];
      if (!Array.isArray(value) || value.some(isObject)) return wrong('must be a list of texts');
      return value.map(String);
    }
    case 'map':
      if (!isObject(value) || Object.values(value).some(isObject)) return wrong('must be a map of texts');
      if (hasControl(Object.entries(value))) return wrong(oneLine);
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one ?? '')]));
    case 'lists':
      if (!isObject(value)) return wrong('must be a map of lists');
      if (hasControl(Object.entries(value))) return wrong(oneLine);
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, [one].flat().map(String)]));
    case 'object':
      return walkObject(value, { options: option.options, at, problems });
    case 'list':
      if (!Array.isArray(value)) return wrong('must be a list');
      return value.map((one, index) => walkObject(one, { options: option.options, at: `${at}[${index}]`, problems }));
  }
}

const oneLine = 'must be one line, without control characters';

/** Of a text, or of any in a list: a line break would add lines to units that systemd runs as root. */
const hasControl = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(hasControl) : typeof value === 'string' && /\p{Cc}/u.test(value);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The original writes every option into its files, most of them empty: those say nothing. */
function isEmpty(value: unknown): boolean {
  if (value === '' || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.every(isEmpty);
  return isObject(value) ? Object.values(value).every(one => one === null || isEmpty(one)) : false;
}

function nearest(key: string, names: readonly string[]): string | undefined {
  const distances = names.map(name => ({ name, distance: distance(spelling(key), spelling(name)) }));
  const best = distances.sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.max(1, Math.floor(key.length / 4)) ? best.name : undefined;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
