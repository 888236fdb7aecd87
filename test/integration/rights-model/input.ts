/** What the model test sends: random rules, roles and subjects, mostly such as have been ways up. */
import fc from 'fast-check';
import { management } from './evaluator.ts';
import type { Rule } from './world.ts';

const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 });
const own = (resources: string[], ...verbs: string[]): Rule => ({ apiGroups: [management], resources, verbs });
const inside = (resources: string[], ...verbs: string[]): Rule => ({ apiGroups: [''], resources, verbs });
const write = ['get', 'list', 'create', 'update', 'delete'];

/** Rights that lead to others. */
const common = fc.constantFrom<Rule>(
  own(['clusterroletemplatebindings', 'projectroletemplatebindings'], ...write),
  own(['clusterroletemplatebindings'], ...write),
  own(['projectroletemplatebindings'], ...write),
  own(['roletemplates'], ...write),
  own(['globalroles', 'globalrolebindings'], ...write),
  own(['users'], ...write),
  own(['projects'], '*'),
  own(['clusters'], '*'),
  own(['clusters'], 'own'),
  own(['projects'], 'own'),
  own(['settings'], 'get', 'update'),
  inside(['pods'], 'get', 'list'),
  inside(['pods'], '*'),
  { apiGroups: ['*'], resources: ['pods'], verbs: ['get'] },
  { apiGroups: ['security.istio.io'], resources: ['requestauthentications'], verbs: ['get'] },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['get'] },
);
/** Those that are there to raise: rarely, since the property does not hold for who has them. */
const raising = fc.constantFrom<Rule>(
  own(['globalroles'], 'bind', 'get', 'list'),
  own(['roletemplates'], 'escalate', ...write),
  own(['users'], 'manage-users', ...write),
  own(['users', 'globalrolebindings'], '*'),
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
);
const arbitrary = fc.record({
  apiGroups: some(management, '', 'apps'),
  resources: some('pods', 'pods/exec', 'projects', 'projectroletemplatebindings', 'users'),
  verbs: some('get', 'list', 'create', 'update', 'delete', 'manage-namespaces'),
});
const named = fc.record({
  apiGroups: fc.constant([management]),
  resources: fc.constant(['settings']),
  resourceNames: some('ui-pl', 'ui-issues'),
  verbs: some('get', 'update', '*'),
});

export const rule: fc.Arbitrary<Rule> = fc.oneof(
  { arbitrary: common, weight: 16 },
  { arbitrary, weight: 2 },
  { arbitrary: named, weight: 1 },
  { arbitrary: raising, weight: 1 },
);

export const place = fc.nat(1000);

export const templateDraft = fc.record({
  context: fc.constantFrom('cluster', 'project', '', ''),
  rules: fc.array(rule, { maxLength: 2, size: 'max' }),
  externalRules: fc.oneof(
    { arbitrary: fc.constant<Rule[]>([]), weight: 6 },
    { arbitrary: fc.array(rule, { maxLength: 1 }), weight: 1 },
  ),
  inherits: fc.array(place, { maxLength: 1 }),
  external: fc.oneof({ arbitrary: fc.constant(false), weight: 6 }, { arbitrary: fc.boolean(), weight: 1 }),
  locked: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, { arbitrary: fc.boolean(), weight: 1 }),
});
export type TemplateDraft = typeof templateDraft extends fc.Arbitrary<infer T> ? T : never;

export const globalDraft = fc.record({
  rules: fc.array(rule, { maxLength: 3, size: 'max' }),
  /** Which cluster's namespace on the server, if any. */
  inNamespace: fc.option(fc.record({ cluster: place, rules: fc.array(rule, { maxLength: 1 }) }), { freq: 4 }),
  inEveryCluster: fc.oneof(
    { arbitrary: fc.constant<number[]>([]), weight: 5 },
    { arbitrary: fc.array(place, { maxLength: 1 }), weight: 1 },
  ),
});
export type GlobalDraft = typeof globalDraft extends fc.Arbitrary<infer T> ? T : never;

/** A user by himself or by a principal of his, or a group. */
export const subject = fc.record({
  kind: fc.constantFrom('user', 'user', 'user', 'principal', 'group'),
  at: place,
} as const);
export type SubjectDraft = typeof subject extends fc.Arbitrary<infer T> ? T : never;

export const via = fc.constantFrom('v3', 'v3', 'kubernetes');

const anything = fc.record({
  templates: fc.array(templateDraft, { minLength: 3, maxLength: 7, size: 'max' }),
  globals: fc.array(fc.record({ draft: globalDraft, subject }), { minLength: 4, maxLength: 8, size: 'max' }),
  inClusters: fc.array(fc.record({ cluster: place, role: place, subject }), {
    minLength: 2,
    maxLength: 8,
    size: 'max',
  }),
  inProjects: fc.array(fc.record({ project: place, role: place, subject }), {
    minLength: 2,
    maxLength: 8,
    size: 'max',
  }),
});
export type Beginning = typeof anything extends fc.Arbitrary<infer T> ? T : never;

const bindingsRule = own(['clusterroletemplatebindings', 'projectroletemplatebindings'], ...write);
const template = (context: '' | 'cluster' | 'project', rules: Rule[], locked = false): TemplateDraft => ({
  context,
  rules,
  externalRules: [],
  inherits: [],
  external: false,
  locked,
});
const user = (index: number): SubjectDraft => ({ kind: 'user', at: index });
const globally = (index: number, ...rules: Rule[]) => ({
  draft: { rules, inNamespace: null, inEveryCluster: [] },
  subject: user(index),
});

/** People each of whom is one step from more than he has, if only somebody let him. */
const onTheBrink: Beginning = {
  templates: [
    template('', [inside(['pods'], 'get')]),
    template('', [own(['projects'], 'own')]),
    template('project', [inside(['pods'], 'get')]),
    template('cluster', [], true),
    template('cluster', []),
    template('', [own(['projects'], '*'), bindingsRule]),
    template('project', [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['get'] }]),
    template('project', [inside(['pods'], '*')]),
  ],
  globals: [
    globally(0, inside(['pods'], '*'), bindingsRule),
    globally(0, own(['roletemplates'], ...write)),
    globally(2, own(['projects', 'clusters'], '*'), bindingsRule),
    globally(3, own(['users'], ...write)),
  ],
  inClusters: [
    { cluster: 0, role: 4, subject: user(0) },
    { cluster: 0, role: 5, subject: user(2) },
    { cluster: 0, role: 4, subject: user(3) },
  ],
  // The first of the built-in ones, after the eight above, is project-owner.
  inProjects: [
    { project: 1, role: 8, subject: user(1) },
    { project: 2, role: 8, subject: user(1) },
    { project: 0, role: 8, subject: user(3) },
  ],
};

/** What everybody has when it begins. */
export const beginning: fc.Arbitrary<Beginning> = fc.oneof(anything, fc.constant(onTheBrink));
