/** Which grants count in a cluster: by where they lie, whatever they say of themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caches } from '../resources/index.ts';
import {
  adminsOf,
  bindingsIn,
  givenIn,
  projectBindingsIn,
  subjectsIn,
  templatesInCluster,
} from './grants-in-cluster.ts';

const binding = (name: string, namespace: string, more: object) => ({ metadata: { name, namespace }, ...more });
const clusterWide = [
  binding('here', 'c-1', { clusterName: 'c-1', roleTemplateName: 'outer', userName: 'u-1' }),
  binding('stray', 'c-2', { clusterName: 'c-1', roleTemplateName: 'other' }),
  binding('there', 'c-2', { clusterName: 'c-2', roleTemplateName: 'other' }),
];
const inProjects = [
  binding('own', 'p-1', { projectName: 'c-1:p-1' }),
  binding('backing', 'c-1-p-1', { projectName: 'c-1:p-1' }),
  binding('stray', 'p-2', { projectName: 'c-1:p-1' }),
];
const globalRoles = [
  { metadata: { name: 'admin' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] },
  { metadata: { name: 'all-views' }, rules: [], inheritedClusterRoles: ['seer'] },
  { metadata: { name: 'user' }, rules: [{ apiGroups: ['x'], resources: ['y'], verbs: ['z'] }] },
];
const deletionTimestamp = '2026-01-01T00:00:00Z';
const globalBindings = [
  { metadata: { name: 'grb-a' }, globalRoleName: 'admin', userPrincipalName: 'ldap_user://mia' },
  { metadata: { name: 'grb-b' }, globalRoleName: 'admin', userName: 'u-boss' },
  { metadata: { name: 'grb-c' }, globalRoleName: 'all-views', groupPrincipalName: 'ldap_group://ops' },
  { metadata: { name: 'grb-d', deletionTimestamp }, globalRoleName: 'all-views', userName: 'u-going' },
  { metadata: { name: 'grb-e' }, globalRoleName: 'user', userName: 'u-plain' },
];
const caches = {
  clusterRoleTemplateBinding: { by: () => clusterWide },
  globalRole: { all: () => globalRoles },
  globalRoleBinding: {
    by: (_: string, role: string) => globalBindings.filter(({ globalRoleName }) => globalRoleName === role),
  },
  user: {
    by: (_: string, principal: string) => (principal === 'ldap_user://mia' ? [{ metadata: { name: 'u-mia' } }] : []),
  },
  projectRoleTemplateBinding: { by: () => inProjects },
  project: {
    get: (name: string, namespace: string) => (name === 'p-1' ? { metadata: { name, namespace } } : undefined),
  },
  roleTemplate: {
    get: (name: string) => ({ metadata: { name }, roleTemplateNames: name === 'outer' ? ['inner'] : [] }),
  },
} as unknown as Caches;
const names = (all: readonly { readonly metadata: { readonly name: string } }[]) => all.map(one => one.metadata.name);

test('a binding that lies elsewhere gives nothing in a cluster', () => {
  assert.deepEqual(names(bindingsIn(caches, 'c-1')), ['here']);
});

test('a binding that lies elsewhere gives nothing in a project', () => {
  assert.deepEqual(names(projectBindingsIn(caches, 'c-1')), ['own', 'backing']);
});

test('what a role inherits is needed with it', () => {
  assert.deepEqual([...templatesInCluster(caches, 'c-1')], ['outer', 'inner', 'seer']);
});

test('one binding is for one, and a principal is the user who has it; nobody yet, where none has', () => {
  assert.deepEqual(subjectsIn(caches, { userPrincipalName: 'ldap_user://mia' }), [{ kind: 'User', name: 'u-mia' }]);
  assert.deepEqual(subjectsIn(caches, { userPrincipalName: 'local://u-1' }), [{ kind: 'User', name: 'u-1' }]);
  assert.deepEqual(subjectsIn(caches, { userPrincipalName: 'ldap_user://tom' }), []);
  assert.deepEqual(subjectsIn(caches, { userName: 'u-1', groupName: 'g' }), [{ kind: 'User', name: 'u-1' }]);
  assert.deepEqual(subjectsIn(caches, { groupName: 'g' }), [{ kind: 'Group', name: 'g' }]);
});

test('what a global role gives in every cluster is given in each but where the server runs', () => {
  const everywhere = {
    subjects: [{ kind: 'Group', name: 'ldap_group://ops' }],
    roleTemplateName: 'seer',
    owner: 'grb-c',
  };
  assert.deepEqual(givenIn(caches, 'c-1').at(-1), everywhere);
  assert.equal(
    givenIn(caches, 'local').some(({ roleTemplateName }) => roleTemplateName === 'seer'),
    false,
  );
  assert.deepEqual(adminsOf(caches), [
    { kind: 'User', name: 'u-mia' },
    { kind: 'User', name: 'u-boss' },
  ]);
});

test('a grant being deleted gives nothing', () => {
  const going = binding('going', 'c-1', { clusterName: 'c-1', roleTemplateName: 'outer', userName: 'u-1' });
  const only = { ...going, metadata: { ...going.metadata, deletionTimestamp } };
  const those = { ...caches, clusterRoleTemplateBinding: { by: () => [only] } } as unknown as Caches;
  assert.equal(givenIn(those, 'c-1').length, 1, 'the one of every cluster');
});
