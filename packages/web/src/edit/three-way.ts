/**
 * Three versions of one object put together: what only one side changed since both began is taken; where both changed the same thing
 * differently, somebody must decide. Lists of things with names are compared by those.
 */

type Json = Record<string, unknown>;

export interface Clash {
  /** Keys and indexes down to it. */
  readonly path: readonly string[];
  readonly theirs: unknown;
  readonly mine: unknown;
}

export interface Merged {
  readonly value: unknown;
  readonly clashes: readonly Clash[];
}

/** How a clash is decided, by its path's text; theirs where nothing is said. */
export type Decisions = ReadonlyMap<string, 'theirs' | 'mine'>;

export const pathText = (path: readonly string[]): string => path.join('.');

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key])]),
  );
}

/** The name by which the items of a list are told apart; undefined where they have none. */
function nameKey(lists: readonly unknown[]): string | undefined {
  const items = lists.flatMap(list => (Array.isArray(list) ? list : []));
  return ['name', 'type', 'key', 'mountPath'].find(key => {
    const hasIt = items.length > 0 && items.every(item => isMap(item) && typeof item[key] === 'string');
    return (
      hasIt && lists.every(list => !Array.isArray(list) || new Set(list.map(item => item[key])).size === list.length)
    );
  });
}

export function mergeThree(base: unknown, theirs: unknown, mine: unknown, decisions: Decisions = new Map()): Merged {
  const clashes: Clash[] = [];
  const value = merge(base, theirs, mine, { path: [], clashes, decisions });
  return { value, clashes };
}

interface Merging {
  readonly path: readonly string[];
  readonly clashes: Clash[];
  readonly decisions: Decisions;
}

function merge(base: unknown, theirs: unknown, mine: unknown, at: Merging): unknown {
  if (same(theirs, mine) || same(base, mine)) return theirs;
  if (same(base, theirs)) return mine;
  if (isMap(theirs) && isMap(mine)) return mergeMaps(isMap(base) ? base : {}, theirs, mine, at);
  if (Array.isArray(theirs) && Array.isArray(mine)) {
    const key = nameKey([base, theirs, mine]);
    if (key) {
      const named = (list: unknown) =>
        Object.fromEntries((Array.isArray(list) ? list : []).map(item => [String((item as Json)[key]), item]));
      return Object.values(mergeMaps(named(base), named(theirs), named(mine), at));
    }
  }
  at.clashes.push({ path: at.path, theirs, mine });
  return at.decisions.get(pathText(at.path)) === 'mine' ? mine : theirs;
}

/** Keys keep their order: theirs first, then what only mine has. */
function mergeMaps(base: Json, theirs: Json, mine: Json, at: Merging): Json {
  const merged: Json = {};
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const value = merge(base[key], theirs[key], mine[key], { ...at, path: [...at.path, key] });
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}
