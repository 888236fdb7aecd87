/** Who may do what: admins, owners, members and strangers at every door, and the way up that stays shut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason, until } from '@drover/base';
import {
  requireMayActOn,
  requireMayBindGlobalRole,
  requireMayBindTemplate,
  requireMayGrant,
  requireMayWriteGlobalRole,
  requireMayWriteTemplate,
} from './escalation.ts';
import { bindInCluster, callerOf, everything, type Fixture, openFixture, seedRoles } from './fixture.ts';

/** Two clusters; ann is admin, oli owns c-a, mia is a member of c-a, ben manages bindings of c-a, pat owns a project of c-a, sam has nothing. */
async function seed(fixture: Fixture) {
  const { resources } = fixture;
  await seedRoles(fixture);
  for (const name of ['c-a', 'c-b', 'local']) await resources.create('cluster', { metadata: { name }, spec: {} });
  for (const name of ['u-ann', 'u-oli', 'u-mia', 'u-ben', 'u-pat', 'u-sam', 'u-una']) {
    await resources.create('user', { metadata: { name }, username: name, principalIds: [`local://${name}`] });
    const globalRoleName = name === 'u-ann' ? 'admin' : name === 'u-una' ? 'users-manage' : 'user';
    await resources.create('globalRoleBinding', { metadata: {}, globalRoleName, userName: name });
  }
  await bindInCluster(fixture, 'c-a', 'cluster-owner', 'u-oli');
  await bindInCluster(fixture, 'c-a', 'cluster-member', 'u-mia');
  await bindInCluster(fixture, 'c-a', 'clusterroletemplatebindings-manage', 'u-ben');
  await resources.create('project', {
    metadata: { name: 'p-a', namespace: 'c-a' },
    spec: { clusterName: 'c-a', displayName: 'a' },
  });
  await resources.create('projectRoleTemplateBinding', {
    metadata: { namespace: 'p-a' },
    projectName: 'c-a:p-a',
    roleTemplateName: 'project-owner',
    userPrincipalName: 'local://u-pat',
  });
}

const [ann, oli, mia, ben, pat, sam, una] = ['ann', 'oli', 'mia', 'ben', 'pat', 'sam', 'una'].map(name =>
  callerOf(`u-${name}`),
) as [
  ReturnType<typeof callerOf>,
  ReturnType<typeof callerOf>,
  ReturnType<typeof callerOf>,
  ReturnType<typeof callerOf>,
  ReturnType<typeof callerOf>,
  ReturnType<typeof callerOf>,
  ReturnType<typeof callerOf>,
];
const isForbidden = (error: unknown) => hasReason(error, 'Forbidden');

test('a user reaches the clusters that he is a member of in any role, and no other', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { access } = fixture.auth;
  const reached = [ann, oli, mia, ben, pat, sam].map(caller =>
    ['c-a', 'c-b', 'local', 'c-none'].filter(id => access.mayReach(caller, id)),
  );
  assert.deepEqual(reached, [['c-a', 'c-b', 'local', 'c-none'], ['c-a'], ['c-a'], ['c-a'], ['c-a'], []]);
  assert.deepEqual(
    [ann, oli, sam].map(caller => access.isAdmin(caller)),
    [true, false, false],
  );
  assert.deepEqual(
    [ann, oli, mia].map(caller => access.isOwner(caller, 'c-a')),
    [true, true, false],
  );
});

test('what members, owners and strangers may do to what belongs to a cluster', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { access } = fixture.auth;
  const may = (...what: Parameters<typeof access.may>) => access.may(...what);
  const inA = { namespace: 'c-a', name: 'x' };
  for (const [caller, read, remove] of [
    [ann, true, true],
    [oli, true, true],
    [mia, true, false],
    [pat, true, false],
    [sam, false, false],
  ] as const) {
    assert.equal(may(caller, 'get', 'cluster', { name: 'c-a' }), read, `${caller.userId} get`);
    assert.equal(may(caller, 'delete', 'cluster', { name: 'c-a' }), remove, `${caller.userId} delete`);
    assert.equal(may(caller, 'get', 'cluster', { name: 'c-b' }), caller === ann);
  }
  assert.equal(may(mia, 'get', 'node', inA), true);
  assert.equal(may(mia, 'get', 'node', { namespace: 'c-b', name: 'x' }), false);
  assert.equal(may(mia, 'get', 'clusterRegistrationToken', inA), false);
  assert.equal(may(mia, 'create', 'clusterRoleTemplateBinding', inA), false);
  assert.equal(may(oli, 'create', 'clusterRoleTemplateBinding', inA), true);
  assert.equal(may(oli, 'create', 'clusterRoleTemplateBinding', { namespace: 'c-b' }), false);
  assert.equal(may(oli, 'get', 'clusterRegistrationToken', inA), true);
  for (const caller of [oli, ben, mia, sam])
    for (const type of ['user', 'globalRoleBinding', 'globalRole', 'secret', 'setting', 'token'] as const)
      for (const verb of ['update', 'delete'])
        assert.equal(may(caller, verb, type, { name: 'u-ann' }), false, `${caller.userId} ${verb} ${type}`);
  assert.equal(may(pat, 'get', 'project', { namespace: 'c-a', name: 'p-a' }), true);
  assert.equal(may(pat, 'create', 'projectRoleTemplateBinding', { namespace: 'p-a' }), true);
  assert.equal(may(pat, 'create', 'projectRoleTemplateBinding', { namespace: 'c-a:p-a' }), true);
  assert.equal(may(pat, 'create', 'projectRoleTemplateBinding', { namespace: 'c-b:p-a' }), false);
  assert.equal(may(pat, 'create', 'clusterRoleTemplateBinding', inA), false);
  assert.equal(may(oli, 'create', 'projectRoleTemplateBinding', { namespace: 'p-a' }), true);
  assert.equal(may(sam, 'create', 'cluster'), true);
  assert.equal(may(sam, 'get', 'user', { name: 'u-sam' }), true);
  assert.equal(may(sam, 'get', 'user', { name: 'u-mia' }), false);
});

test('a token for one cluster gives nothing outside of it, an admin’s neither', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { access } = fixture.auth;
  const scoped = callerOf('u-ann', { clusterId: 'c-a' });
  assert.equal(access.mayReach(scoped, 'c-a'), true);
  assert.equal(access.mayReach(scoped, 'c-b'), false);
  assert.equal(access.isAdmin(scoped), false);
  assert.equal(access.may(scoped, 'get', 'cluster', { name: 'c-a' }), true);
  assert.equal(access.may(scoped, 'get', 'node', { namespace: 'c-a', name: 'x' }), true);
  for (const type of ['cluster', 'user', 'token', 'setting', 'globalRoleBinding', 'roleTemplate'] as const) {
    assert.equal(access.may(scoped, 'get', type, { name: 'c-b' }), false, type);
    assert.equal(access.may(scoped, 'create', type), false, type);
  }
});

test('a right that is taken away is gone with the write, and streams in the cluster are cut', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { access, sessions } = fixture.auth;
  await fixture.resources.create('token', { metadata: { name: mia.tokenId }, userId: 'u-mia' });
  assert.equal(access.mayReach(mia, 'c-a'), true);
  const [there, elsewhere] = [sessions.signalFor(mia, 'c-a'), sessions.signalFor(mia)];
  const binding = [...fixture.caches.clusterRoleTemplateBinding.all()].find(each => each.userName === 'u-mia')!;
  await fixture.resources.delete('clusterRoleTemplateBinding', binding.metadata as { name: string; namespace: string });
  assert.equal(access.mayReach(mia, 'c-a'), false);
  await until('the cut', () => there.aborted, { timeoutMs: 1000 });
  assert.ok(isForbidden(there.reason));
  assert.equal(elsewhere.aborted, false);
});

test('a binding counts only where it lies', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { resources } = fixture;
  const owner = { roleTemplateName: 'cluster-owner', userName: 'u-ben' };
  await resources.create('clusterRoleTemplateBinding', {
    metadata: { namespace: 'c-a' },
    clusterName: 'c-b',
    ...owner,
  });
  await resources.create('projectRoleTemplateBinding', {
    metadata: { namespace: 'p-a' },
    projectName: 'c-b:p-z',
    ...owner,
  });
  await resources.create('project', {
    metadata: { name: 'p-b', namespace: 'c-b' },
    spec: { clusterName: 'c-b', displayName: 'b' },
  });
  const inProject = { projectName: 'c-b:p-b', roleTemplateName: 'project-owner', userName: 'u-ben' };
  const binding = await resources.create('projectRoleTemplateBinding', {
    metadata: { namespace: 'c-a-p-a' },
    ...inProject,
  });
  const { access } = fixture.auth;
  await until('the cache to have it', () =>
    fixture.caches.projectRoleTemplateBinding.get(binding.metadata.name, 'c-a-p-a'),
  );
  assert.equal(access.mayReach(ben, 'c-b'), false);
  await resources.create('projectRoleTemplateBinding', { metadata: { namespace: 'c-b-p-b' }, ...inProject });
  await until('the one that lies right to count', () => access.mayReach(ben, 'c-b'));
});

test('a group’s binding is for its members, and a user of the group’s name is not one', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  await bindInCluster(fixture, 'c-b', 'cluster-member', { groupPrincipalName: 'github_team://7' });
  await bindInCluster(fixture, 'c-b', 'cluster-member', { groupName: 'u-sam' });
  const { access } = fixture.auth;
  assert.equal(access.mayReach(callerOf('u-sam', { groups: ['github_team://7'] }), 'c-b'), true);
  assert.equal(access.mayReach(sam, 'c-b'), false);
  assert.equal(access.mayReach(callerOf('github_team://7'), 'c-b'), false);
});

test('a global role may give a role in every cluster but local, and circles of roles end', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { resources } = fixture;
  const flags = { clusterCreatorDefault: false, projectCreatorDefault: false, context: 'cluster' } as const;
  await resources.create('roleTemplate', {
    metadata: { name: 'rt-1' },
    displayName: '1',
    ...flags,
    roleTemplateNames: ['rt-2'],
  });
  await resources.create('roleTemplate', {
    metadata: { name: 'rt-2' },
    displayName: '2',
    ...flags,
    roleTemplateNames: ['rt-1', 'cluster-member'],
  });
  await resources.create('globalRole', {
    metadata: { name: 'gr-all' },
    displayName: 'all',
    newUserDefault: false,
    inheritedClusterRoles: ['rt-1'],
  });
  await resources.create('globalRoleBinding', { metadata: {}, globalRoleName: 'gr-all', userName: 'u-sam' });
  const { access } = fixture.auth;
  assert.deepEqual(
    ['c-a', 'c-b', 'local', 'c-none'].filter(id => access.mayReach(sam, id)),
    ['c-a', 'c-b'],
  );
  assert.equal(access.may(sam, 'list', 'node', { namespace: 'c-b' }), true);
});

test('nobody gives away more than he has', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const deps = fixture.deps;
  const bind = (caller: typeof ann, roleTemplateId: string, clusterId: string, projectId?: string) => () =>
    requireMayBindTemplate(deps, caller, { roleTemplateId, clusterId, projectId });
  bind(ann, 'cluster-owner', 'c-b')();
  bind(oli, 'cluster-owner', 'c-a')();
  bind(oli, 'project-owner', 'c-a', 'c-a:p-a')();
  bind(pat, 'project-owner', 'c-a', 'c-a:p-a')();
  bind(ben, 'clusterroletemplatebindings-manage', 'c-a')();
  assert.throws(bind(oli, 'cluster-member', 'c-b'), isForbidden);
  assert.throws(bind(ben, 'cluster-owner', 'c-a'), /can't grant what you don't have/);
  assert.throws(bind(ben, 'cluster-member', 'c-a'), isForbidden);
  assert.throws(bind(ben, 'project-owner', 'c-a', 'c-a:p-a'), isForbidden);
  assert.throws(bind(pat, 'project-owner', 'c-b', 'c-b:p-b'), isForbidden);
  assert.throws(bind(ann, 'project-owner', 'c-a'), /is for a project/);
  assert.throws(bind(ann, 'project-owner', 'c-a', 'c-b:p-a'), /must be a project of cluster c-a/);
  assert.throws(() => requireMayBindGlobalRole(deps, oli, 'admin'), isForbidden);
  assert.throws(() => requireMayBindGlobalRole(deps, una, 'admin'), isForbidden);
  requireMayBindGlobalRole(deps, ann, 'admin');
  requireMayBindGlobalRole(deps, sam, 'user');
  assert.throws(() => requireMayGrant(deps, una, { rules: [everything] }), isForbidden);
  assert.throws(() => requireMayWriteGlobalRole(deps, una, { rules: [everything] }), isForbidden);
  assert.throws(() => requireMayWriteGlobalRole(deps, una, { inheritedClusterRoles: ['cluster-owner'] }), isForbidden);
  assert.throws(() => requireMayWriteTemplate(deps, oli, { rules: [everything] }), isForbidden);
  assert.throws(() => requireMayWriteTemplate(deps, oli, { roleTemplateNames: ['cluster-owner'] }), isForbidden);
  assert.throws(
    () => requireMayWriteTemplate(deps, ann, { name: 'cluster-owner', roleTemplateNames: ['cluster-owner'] }),
    /inherit from itself/,
  );
  requireMayWriteTemplate(deps, ann, { rules: [everything] });
});

test('a role whose rules only the cluster knows is given by owners and by who holds it', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { resources, deps } = fixture;
  await resources.create('roleTemplate', {
    metadata: { name: 'prtb-manage' },
    displayName: 'manage',
    context: 'project',
    clusterCreatorDefault: false,
    projectCreatorDefault: false,
    rules: [{ apiGroups: ['management.cattle.io'], resources: ['projectroletemplatebindings'], verbs: ['*'] }],
  });
  const binding = { metadata: { namespace: 'p-a' }, projectName: 'c-a:p-a', userName: 'u-sam' };
  await resources.create('projectRoleTemplateBinding', { ...binding, roleTemplateName: 'prtb-manage' });
  const bind = (caller: typeof sam, roleTemplateId: string) => () =>
    requireMayBindTemplate(deps, caller, { roleTemplateId, clusterId: 'c-a', projectId: 'c-a:p-a' });
  bind(sam, 'prtb-manage')();
  assert.throws(bind(sam, 'admin'), /role admin/);
  assert.throws(bind(sam, 'project-owner'), /role admin/);
  bind(pat, 'admin')();
  bind(oli, 'admin')();
});

test('nobody acts on a user with more rights than he has', async () => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { deps } = fixture;
  assert.throws(() => requireMayActOn(deps, una, 'u-ann'), /only an admin/);
  requireMayActOn(deps, una, 'u-oli');
  assert.throws(() => requireMayActOn(deps, ben, 'u-oli'), isForbidden);
  assert.throws(() => requireMayActOn(deps, mia, 'u-pat'), isForbidden);
  requireMayActOn(deps, oli, 'u-sam');
  requireMayActOn(deps, oli, 'u-mia');
  assert.throws(() => requireMayActOn(deps, sam, 'u-mia'), isForbidden);
  requireMayActOn(deps, ann, 'u-oli');
});
