/**
 * Where pods may run: v3 writes a node selector and node affinity as short expressions, `disk = ssd`, `!gpu`, `zone in (a, b)`,
 * joined by `&&` within one alternative. Pod affinity has no form in v3 and stays as it is.
 */
import { type Data, isData, move, type Op, put, take, valueAt } from './ops.ts';

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values?: readonly string[];
}

interface Term {
  readonly matchExpressions?: readonly Requirement[];
}

interface Preferred {
  readonly weight: number;
  readonly preference: Term;
}

/** One expression as v3 writes it. */
export function writeRequirement({ key, operator, values = [] }: Requirement): string {
  const list = values.length === 1 ? values[0]! : `(${values.join(', ')})`;
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key} = ${list}` : `${key} in ${list}`;
    case 'NotIn':
      return values.length === 1 ? `${key} != ${list}` : `${key} notin ${list}`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key} > ${list}`;
    case 'Lt':
      return `${key} < ${list}`;
  }
}

const form = /^(.*?)\s*(!=|=|<|>|\sin\s|\snotin\s)\s*(.*)$/;
const operators: Readonly<Record<string, Requirement['operator']>> = {
  '=': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  '>': 'Gt',
  '<': 'Lt',
};

/** One expression read back; the API server says what is wrong with a key or value that can't be. */
export function readRequirement(text: string): Requirement {
  const [, key = '', operator = '', rest = ''] = form.exec(text) ?? [];
  if (operator === '') {
    const name = text.trim();
    return name.startsWith('!')
      ? { key: name.slice(1).trim(), operator: 'DoesNotExist' }
      : { key: name, operator: 'Exists' };
  }
  const values = rest
    .trim()
    .replace(/^\((.*)\)$/, '$1')
    .split(',')
    .map(value => value.trim());
  return { key: key.trim(), operator: operators[operator.trim()]!, values };
}

const writeTerm = ({ matchExpressions = [] }: Term): readonly string[] => matchExpressions.map(writeRequirement);
const readTerm = (text: string): Term => ({ matchExpressions: text.split('&&').map(part => readRequirement(part)) });

const required = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];
const preferred = ['affinity', 'nodeAffinity', 'preferredDuringSchedulingIgnoredDuringExecution'];
const node = (name: string) => ['scheduling', 'node', name];

const nodeTerms: Op = {
  toV3(data) {
    const selector = take(data, ['nodeSelector']);
    const fromSelector = isData(selector)
      ? Object.entries(selector).map(([key, value]) => (value === '' ? key : `${key} = ${value}`))
      : [];
    const terms = (valueAt(data, ...required, 'nodeSelectorTerms') as readonly Term[] | undefined) ?? [];
    const written = terms.map(writeTerm).filter(term => term.length > 0);
    const all = written.length === 1 ? [...fromSelector, ...written[0]!] : fromSelector;
    if (all.length > 0) put(data, node('requireAll'), all);
    if (written.length > 1)
      put(
        data,
        node('requireAny'),
        written.map(term => term.join(' && ')),
      );
    const wishes = (valueAt(data, ...preferred) as readonly Preferred[] | undefined) ?? [];
    const sorted = wishes.toSorted((a, b) => b.weight - a.weight);
    if (sorted.length > 0)
      put(
        data,
        node('preferred'),
        sorted.map(({ preference }) => writeTerm(preference).join(' && ')),
      );
    delete data['affinity'];
  },
  fromV3(data) {
    const texts = (name: string) => (take(data, node(name)) as readonly string[] | null | undefined) ?? [];
    const [all, any, wishes] = [texts('requireAll'), texts('requireAny'), texts('preferred')];
    const together: Term = { matchExpressions: all.flatMap(text => readTerm(text).matchExpressions ?? []) };
    const terms = any.length > 0 ? any.map(readTerm) : all.length > 0 ? [together] : [];
    // Kubernetes takes any of the terms: what all of them need has to stand in each.
    const whole =
      any.length > 0 && all.length > 0
        ? terms.map(term => ({ matchExpressions: [...together.matchExpressions!, ...term.matchExpressions!] }))
        : terms;
    if (whole.length > 0) put(data, [...required, 'nodeSelectorTerms'], whole);
    if (wishes.length > 0)
      put(
        data,
        preferred,
        wishes.map((text, i) => ({ weight: Math.max(1, 100 - i), preference: readTerm(text) })),
      );
  },
};

/** An empty struct is not kept: it would say that there is no affinity, where nothing was said. */
const tidy: Op = {
  toV3() {},
  fromV3(data: Data) {
    const scheduling = data['scheduling'];
    if (!isData(scheduling)) return;
    const nodeId = valueAt(scheduling, 'node', 'nodeId');
    if (typeof nodeId === 'string' && nodeId !== '') data['nodeId'] = nodeId;
    delete data['scheduling'];
  },
};

export const scheduling: readonly Op[] = [
  tidy,
  nodeTerms,
  move('priority', 'scheduling/priority'),
  move('priorityClassName', 'scheduling/priorityClassName'),
  move('schedulerName', 'scheduling/scheduler'),
  move('tolerations', 'scheduling/tolerate'),
];
