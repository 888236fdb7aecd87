/** The plan of a cluster's RBAC: names as the ecosystem knows them, inheritance gathered, nothing granted twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoleTemplate } from '@drover/api';
import { bindingName, type Given, ownerLabel, planMembers, withoutRoles } from './member-plan.ts';

const base = { apiVersion: 'management.cattle.io/v3' };
const template = (name: string, rest: Partial<RoleTemplate> = {}): RoleTemplate =>
  ({ ...base, kind: 'RoleTemplate', metadata: { name }, ...rest }) as RoleTemplate;
const grant = (name: string, roleTemplateName: string, user: string): Given => ({
  subjects: [{ kind: 'User', name: user }],
  roleTemplateName,
  owner: `c-1_${name}`,
});

const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
const templates = new Map(
  [
    template('owner', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }], roleTemplateNames: ['reader'] }),
    template('reader', {
      rules: [{ resources: ['pods'], verbs: ['get'] }, pods],
      roleTemplateNames: ['view', 'owner'],
    }),
    template('view', { external: true }),
  ].map(one => [one.metadata.name, one]),
);
const lookup = (id: string) => templates.get(id);

test('a grant gives a role per template of ours and a binding per template', () => {
  const plan = planMembers({
    given: [grant('crtb-1', 'owner', 'u-a')],
    admins: [],
    template: lookup,
    installUuid: 'i-1',
  });
  assert.deepEqual(
    plan.roles.map(role => role.metadata.name),
    ['owner', 'reader'],
  );
  assert.deepEqual(
    plan.bindings.map(binding => [binding.roleRef.name, binding.subjects[0]?.name]),
    [
      ['owner', 'u-a'],
      ['reader', 'u-a'],
      ['view', 'u-a'],
    ],
  );
  assert.equal(plan.bindings[0]?.metadata.labels?.['authz.cluster.cattle.io/rtb-owner-updated'], 'c-1_crtb-1');
});

test('the same grant twice is one binding', () => {
  const plan = planMembers({
    given: [grant('crtb-1', 'view', 'u-a'), grant('crtb-2', 'view', 'u-a')],
    admins: [],
    template: lookup,
    installUuid: 'i-1',
  });
  assert.equal(plan.bindings.length, 1);
});

test('admins are bound to cluster-admin under their known name', () => {
  const plan = planMembers({
    given: [],
    admins: [
      { kind: 'User', name: 'user-x' },
      { kind: 'Group', name: 'github_team://1' },
    ],
    template: lookup,
    installUuid: 'i-1',
  });
  assert.equal(plan.bindings[0]?.metadata.name, 'globaladmin-user-x');
  assert.match(plan.bindings[1]!.metadata.name, /^globaladmin-u-[a-z2-7]{10}$/);
  assert.ok(plan.bindings.every(binding => binding.roleRef.name === 'cluster-admin'));
});

test('a rule that Kubernetes would refuse gives nothing, and keeps no other from the cluster', () => {
  const plan = planMembers({
    given: [grant('crtb-1', 'reader', 'u-a')],
    admins: [],
    template: lookup,
    installUuid: 'i-1',
  });
  assert.deepEqual(plan.roles.find(role => role.metadata.name === 'reader')?.rules, [
    { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
  ]);
});

test('a role of that name which is somebody else’s is bound to nobody', () => {
  const { bindings } = planMembers({
    given: [grant('crtb-1', 'owner', 'u-a')],
    admins: [],
    template: lookup,
    installUuid: 'i-1',
  });
  assert.deepEqual(
    withoutRoles(bindings, new Set(['reader'])).map(({ roleRef }) => roleRef.name),
    ['owner', 'view'],
  );
});

test('a grant whose name no label holds is told by one that does', () => {
  const [label] = Object.values(ownerLabel(`c-1_${'a'.repeat(80)}`));
  assert.match(label!, /^rtb-[a-z2-7]{10}$/);
});

test('the name of a binding is the first ten letters of the base32 of its SHA-256', () => {
  // printf 'ClusterRoleviewUseru-a' | openssl dgst -sha256 -binary | base32 | tr A-Z a-z | cut -c1-10
  assert.equal(bindingName('view', { kind: 'User', name: 'u-a' }), 'crb-kegzrki4ni');
});
