/**
 * Ops: how a Kubernetes object's fields become v3's and back, as a list of reversible steps. Each works in place on data
 * that its caller owns; towards v3 they run in their order, back from it in the opposite one.
 */

export type Data = Record<string, unknown>;

export interface Op {
  toV3(data: Data): void;
  fromV3(data: Data): void;
}

export function runToV3(ops: readonly Op[], data: Data): void {
  for (const op of ops) op.toV3(data);
}

export function runFromV3(ops: readonly Op[], data: Data): void {
  for (const op of ops.toReversed()) op.fromV3(data);
}

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys; undefined where any of them is not there. */
export function valueAt(data: Data, ...keys: readonly string[]): unknown {
  let value: unknown = data;
  for (const key of keys) value = isData(value) ? value[key] : undefined;
  return value;
}

/** Sets the value at a path of keys, with what is missing on the way. */
export function put(data: Data, keys: readonly string[], value: unknown): void {
  let at = data;
  for (const key of keys.slice(0, -1)) {
    if (!isData(at[key])) at[key] = {};
    at = at[key] as Data;
  }
  at[keys.at(-1)!] = value;
}

/** Takes the value at a path out, with structs on the way that are empty afterwards. */
export function take(data: Data, keys: readonly string[]): unknown {
  const [key, ...rest] = keys as [string, ...string[]];
  if (rest.length === 0) {
    const value = data[key];
    delete data[key];
    return value;
  }
  const inner = data[key];
  if (!isData(inner)) return undefined;
  const value = take(inner, rest);
  if (value !== undefined && Object.keys(inner).length === 0) delete data[key];
  return value;
}

/** The value at `from` (keys with `/` between them) is v3's at `to`. */
export function move(from: string, to: string): Op {
  const [source, target] = [from.split('/'), to.split('/')];
  const shift = (data: Data, a: readonly string[], b: readonly string[]) => {
    const value = take(data, a);
    if (value !== undefined) put(data, b, value);
  };
  return { toV3: data => shift(data, source, target), fromV3: data => shift(data, target, source) };
}

/** Several fields are v3's of the same names within the struct `to`. */
export function gather(fields: readonly string[], to: string): readonly Op[] {
  return fields.map(field => move(field, `${to}/${field}`));
}

/** The fields of the struct at `field` are v3's beside it; `keys` are those that go back into it. */
export function embed(field: string, keys: readonly string[]): Op {
  return {
    toV3(data) {
      const inner = data[field];
      delete data[field];
      if (isData(inner)) Object.assign(data, inner);
    },
    fromV3(data) {
      const inner: Data = {};
      for (const key of keys) {
        if (data[key] !== undefined) inner[key] = data[key];
        delete data[key];
      }
      if (Object.keys(inner).length > 0) data[field] = inner;
    },
  };
}

/** Steps for the struct at `field`, or for each of a list of structs there. */
export function within(field: string, ...ops: readonly Op[]): Op {
  const each = (data: Data, run: (inner: Data) => void) => {
    const value = data[field];
    for (const inner of Array.isArray(value) ? value : [value]) if (isData(inner)) run(inner);
  };
  return {
    toV3: data => each(data, inner => runToV3(ops, inner)),
    fromV3: data => each(data, inner => runFromV3(ops, inner)),
  };
}

/** v3 does not show it; an update leaves it as it is in the cluster. */
export function drop(field: string): Op {
  return {
    toV3(data) {
      delete data[field];
    },
    fromV3() {},
  };
}

/** A v3 field that Kubernetes has no place for is an annotation; lists and structs are JSON there. */
export function annotation(field: string, { json = false }: { readonly json?: boolean } = {}): Op {
  const key = ['annotations', `field.cattle.io/${field}`];
  return {
    toV3(data) {
      const text = take(data, key);
      if (typeof text !== 'string') return;
      const value = json ? parsed(text) : text;
      if (value !== undefined) data[field] = value;
    },
    fromV3(data) {
      const value = take(data, [field]);
      if (value !== undefined && value !== null) put(data, key, json ? JSON.stringify(value) : value);
    },
  };
}

/** Somebody may have written nonsense into it with kubectl. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A v3 field that Kubernetes has no place for is a label. */
export function label(field: string): Op {
  const key = ['labels', `field.cattle.io/${field}`];
  return {
    toV3(data) {
      const value = take(data, key);
      if (value !== undefined) data[field] = value;
    },
    fromV3(data) {
      const value = take(data, [field]);
      if (value !== undefined && value !== null) put(data, key, value);
    },
  };
}

/** Other words for the same: each key of `words` is Kubernetes', its value v3's. */
export function words(field: string, all: Readonly<Record<string, string>>): Op {
  const back = Object.fromEntries(Object.entries(all).map(([ours, theirs]) => [theirs, ours]));
  const replace = (data: Data, by: Readonly<Record<string, string>>) => {
    const value = data[field];
    if (typeof value === 'string' && Object.hasOwn(by, value)) data[field] = by[value];
  };
  return { toV3: data => replace(data, all), fromV3: data => replace(data, back) };
}
