/**
 * Label selectors as Kubernetes writes them: `a=b,c!=d,e in (f,g),h,!i`.
 */
import { badRequest } from './errors.ts';

type Labels = Readonly<Record<string, string>> | undefined;
export type Selector = (labels: Labels) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

const setPattern = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const equalityPattern = /^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$/;
const keyPattern = /^(!?)\s*([A-Za-z0-9][-A-Za-z0-9_./]*)$/;

/** Parses a selector; the empty one takes everything. Throws BadRequest that names the part it can't read. */
export function parseSelector(text: string): Selector {
  const requirements = splitOutsideBrackets(text).map(parseRequirement);
  return labels => requirements.every(requirement => meets(requirement, labels));
}

function splitOutsideBrackets(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map(part => part.trim())
    .filter(part => part !== '');
}

function parseRequirement(part: string): Requirement {
  const set = setPattern.exec(part);
  if (set) {
    const values = set[3]!.split(',').map(value => value.trim());
    return { key: set[1]!, operator: set[2] as 'in' | 'notin', values };
  }
  const equality = equalityPattern.exec(part);
  if (equality) return { key: equality[1]!, operator: equality[2] === '!=' ? '!=' : '=', values: [equality[3]!] };
  const key = keyPattern.exec(part);
  if (key) return { key: key[2]!, operator: key[1] ? 'absent' : 'exists', values: [] };
  throw badRequest(`label selector: can't read "${part}"; use key=value, key!=value, key in (a,b), key or !key`);
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels?.[key];
  switch (operator) {
    case '=':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
}
