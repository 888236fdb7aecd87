/**
 * The `filter` grammar of `/v1` lists: one parameter is requirements joined by commas, of which one must hold; several parameters must
 * all hold. A label's `!=`, `notin` and `!~` also match objects without the label. What doesn't parse is a 422, not the original's 500.
 */
import { invalid } from '@drover/base';

export type FilterOp =
  | '='
  | '!='
  | '~'
  | '!~'
  | 'in'
  | 'notin'
  | '>'
  | '<'
  | 'contains'
  | 'notcontains'
  | 'exists'
  | 'absent';

export type Requirement = {
  readonly key: string;
  readonly label?: string;
  readonly op: FilterOp;
  readonly values: readonly string[];
};

const maxLength = 16_384;
const maxRequirements = 200;
const symbols: Readonly<Record<string, FilterOp>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '~': '~',
  '!~': '!~',
  '>': '>',
  '<': '<',
};
const words: Readonly<Record<string, FilterOp>> = {
  in: 'in',
  notin: 'notin',
  gt: '>',
  lt: '<',
  contains: 'contains',
  notcontains: 'notcontains',
};
const spaces = /\s*/y;
const word = /[^\s=!(),<>~]+/y;
const symbol = /==|!=|!~|[=~<>]/y;
const quoted = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy;

/** The name of the label that a field stands for: `metadata.labels.a` and `metadata.labels[k8s.io/a]`. */
export function labelOf(field: string): string | undefined {
  const found = /^metadata\.labels(?:\.(.+)|\[([^[\]]+)\])$/.exec(field);
  return found?.[1] ?? found?.[2];
}

/** The requirements of one `filter` parameter. Throws `Invalid` on `filter`, saying where it doesn't parse and what would be right. */
export function parseFilter(text: string): Requirement[] {
  if (text.length > maxLength) throw invalid('filter', `must have at most ${maxLength} characters`);
  let at = 0;
  const refuse = (wanted: string) => invalid('filter', `at character ${at + 1}: ${wanted}`, 'InvalidFormat');
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    spaces.lastIndex = at;
    at += spaces.exec(text)?.[0].length ?? 0;
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? undefined;
    at += found?.[0].length ?? 0;
    return found;
  };
  const list = (): string[] => {
    if (!take(/\(/y)) throw refuse('give the values in parentheses, as in `in (a,b)`');
    const values: string[] = [];
    do {
      const value = take(word)?.[0];
      if (value === undefined) throw refuse('give a value');
      values.push(value);
    } while (take(/,/y));
    if (!take(/\)/y)) throw refuse('close the values with `)`');
    return values;
  };
  const single = (): string => {
    const inQuotes = take(quoted);
    if (inQuotes) return (inQuotes[1] ?? inQuotes[2] ?? '').replace(/\\(.)/gs, '$1');
    const value = take(word)?.[0];
    if (value === undefined || !/^[A-Za-z0-9_]/.test(value))
      throw refuse('give a value; quote it unless it starts with a letter, a digit or `_`');
    return value;
  };
  const requirement = (): Requirement => {
    const negated = take(/!/y) !== undefined;
    const key = take(word)?.[0];
    if (key === undefined) throw refuse('give a field');
    const label = labelOf(key);
    const named = label === undefined ? { key } : { key, label };
    const ended = take(/(?=,|$)/y) !== undefined;
    if (negated || ended) {
      if (!ended) throw refuse('nothing may follow `!field`');
      if (label === undefined) throw refuse('only labels can be asked for being there; give an operator and a value');
      return { ...named, op: negated ? 'absent' : 'exists', values: [] };
    }
    const sign = take(symbol)?.[0];
    const op = sign === undefined ? words[take(/[A-Za-z]+/y)?.[0].toLowerCase() ?? ''] : symbols[sign];
    if (op === undefined) throw refuse('use one of = == != ~ !~ < > in notin gt lt contains notcontains');
    if (op === 'in' || op === 'notin') return { ...named, op, values: list() };
    const value = single();
    if ((op === '>' || op === '<') && !/^[+-]?\d+$/.test(value)) throw refuse(`\`${op}\` compares with an integer`);
    return { ...named, op, values: [value] };
  };
  const found: Requirement[] = [];
  do {
    if (found.length === maxRequirements) throw invalid('filter', `must have at most ${maxRequirements} requirements`);
    found.push(requirement());
  } while (take(/,/y));
  if (!take(/$/y)) throw refuse('put a comma between requirements');
  return found;
}
