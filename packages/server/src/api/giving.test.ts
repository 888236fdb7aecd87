/** What may be given to others, and by whom: what only looks like one's own is not, and what is gone gives nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

type User = Awaited<ReturnType<TestApi['makeUser']>>;

let api: TestApi;
let cluster: string;
let project: string;
let guest: User;
let count = 0;

before(async () => {
  api = await openTestApi();
  cluster = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } })).id;
  project = (await api.want(201, 'POST', '/v3/projects', { body: { name: 'shop', clusterId: cluster } })).id;
  guest = await api.makeUser('guest');
});
after(() => api[Symbol.asyncDispose]());

const rule = (apiGroup: string, resources: string[], ...verbs: string[]) => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});
const own = (resources: string[], ...verbs: string[]) => rule('management.cattle.io', resources, ...verbs);
const write = ['get', 'list', 'create', 'update', 'delete'];
const status = async (as: User, method: string, path: string, body?: unknown) =>
  (await api.ask(method, path, { as: as.token, body })).status;

const made = async (type: string, body: object): Promise<string> => {
  const fields = { name: `role-${++count}`, ...body };
  return (await api.want(201, 'POST', `/v3/${type}`, { body: fields })).id;
};
const template = (body: object) => made('roletemplates', { context: 'cluster', ...body });
const inCluster = (roleTemplateId: string, user: User) =>
  made('clusterroletemplatebindings', { clusterId: cluster, roleTemplateId, userId: user.id });
const inProject = (roleTemplateId: string, user: User, projectId = project) =>
  made('projectroletemplatebindings', { projectId, roleTemplateId, userId: user.id });

async function userWith(...rules: object[]): Promise<User> {
  const user = await api.makeUser(`user-${++count}`);
  await made('globalrolebindings', { globalRoleId: await made('globalroles', { rules }), userId: user.id });
  return user;
}

const gives = (as: User, roleTemplateId: string, to: User, where: { clusterId: string } | { projectId: string }) =>
  status(as, 'POST', `/v3/${'clusterId' in where ? 'cluster' : 'project'}roletemplatebindings`, {
    ...where,
    roleTemplateId,
    userId: to.id,
  });

test('T18: what somebody may do on the server he may not give inside of a cluster', async () => {
  const binder = await userWith(own(['clusterroletemplatebindings'], ...write), rule('', ['pods'], '*'));
  await inCluster(await template({ rules: [own(['nodes'], 'get')] }), binder);
  const pods = await template({ rules: [rule('', ['pods'], 'get')] });
  assert.equal(await gives(binder, pods, binder, { clusterId: cluster }), 403);
  await inCluster(pods, binder);
  assert.equal(await gives(binder, pods, guest, { clusterId: cluster }), 201);
});

test('T14: what somebody may do on the server he puts into no role for clusters', async () => {
  const writer = await userWith(own(['roletemplates'], ...write), rule('', ['pods'], '*'));
  const role = await template({ rules: [] });
  const rules = [rule('', ['pods'], 'get')];
  assert.equal(await status(writer, 'PUT', `/v3/roletemplates/${role}`, { rules }), 403);
  assert.equal(await status(writer, 'PUT', `/v3/roletemplates/${role}`, { rules: [own(['clusters'], 'own')] }), 403);
});

test('T18: a role that makes owners is given by owners, whatever else covers the verb', async () => {
  const binder = await userWith(own(['clusterroletemplatebindings', 'projectroletemplatebindings'], ...write));
  await inCluster(await template({ rules: [own(['projects', 'clusters'], '*')] }), binder);
  for (const resources of [['projects'], ['clusters']]) {
    const owning = await template({ rules: [own(resources, 'own')] });
    assert.equal(await gives(binder, owning, binder, { clusterId: cluster }), 403);
  }
  const inside = await template({ context: 'project', rules: [own(['projects'], 'own')] });
  assert.equal(await gives(binder, inside, binder, { projectId: project }), 403);
});

test('T18: who owns a cluster by the verb alone gives nothing that he has not inside of it, to himself neither', async () => {
  const keeper = await api.makeUser(`user-${++count}`);
  const pods = rule('', ['pods'], 'get');
  const keeps = await template({ rules: [own(['clusters'], 'own'), pods] });
  await inCluster(keeps, keeper);
  const there = { clusterId: cluster };
  for (const role of ['cluster-owner', await template({ rules: [rule('', ['secrets'], 'get')] }), 'cluster-admin'])
    assert.equal(await gives(keeper, role, keeper, there), 403, role);
  assert.equal(await gives(keeper, 'project-member', keeper, { projectId: project }), 403);
  assert.equal(await gives(keeper, keeps, guest, there), 201);
  assert.equal(await gives(keeper, await template({ rules: [pods] }), guest, there), 201);
  const owner = await api.makeUser(`user-${++count}`);
  await inCluster('cluster-owner', owner);
  assert.equal(await gives(owner, 'cluster-owner', guest, there), 201);
});

test('T25: who owns a cluster by the verb alone acts on nobody who has all of it', async () => {
  const clerk = await userWith(own(['users'], ...write));
  await inCluster(await template({ rules: [own(['clusters'], 'own')] }), clerk);
  const owner = await api.makeUser(`user-${++count}`);
  await inCluster('cluster-owner', owner);
  assert.equal(await status(clerk, 'PUT', `/v3/users/${owner.id}`, { description: 'x' }), 403);
  await inCluster('cluster-owner', clerk);
  assert.equal(await status(clerk, 'PUT', `/v3/users/${owner.id}`, { description: 'x' }), 200);
});

test('T25: nobody acts on members of a cluster that is closed to him, nor on owners', async () => {
  const clerk = await userWith(own(['users'], ...write), own(['projects', 'clusters'], '*'));
  const member = await api.makeUser(`user-${++count}`);
  await inCluster(await template({ rules: [] }), member);
  assert.equal(await status(clerk, 'PUT', `/v3/users/${member.id}`, { description: 'x' }), 403);
  await inCluster(await template({ rules: [] }), clerk);
  assert.equal(await status(clerk, 'PUT', `/v3/users/${member.id}`, { description: 'x' }), 200);
  await inCluster(await template({ rules: [own(['projects'], 'own')] }), member);
  assert.equal(await status(clerk, 'PUT', `/v3/users/${member.id}`, { description: 'x' }), 403);
});

test('an owner of a project gives there what is shipped for projects, and nothing of that kind elsewhere', async () => {
  const owner = await api.makeUser(`user-${++count}`);
  await inProject('project-owner', owner);
  for (const role of ['project-member', 'read-only', 'workloads-manage', 'secrets-manage', 'view'])
    assert.equal(await gives(owner, role, guest, { projectId: project }), 201, role);
  const other = await made('projects', { clusterId: cluster });
  assert.equal(await gives(owner, 'project-member', guest, { projectId: other }), 403);
  const member = await api.makeUser(`user-${++count}`);
  await inProject('project-member', member);
  await inProject('projectroletemplatebindings-manage', member);
  assert.equal(await gives(member, 'secrets-manage', member, { projectId: project }), 403);
  assert.equal(await gives(member, 'project-owner', member, { projectId: project }), 403);
});

test('an owner of a project gives no home-made role with more, none that is locked, and nothing outside of namespaces', async () => {
  const owner = await api.makeUser(`user-${++count}`);
  await inProject('project-owner', owner);
  const homeMade = (rules: object[]) => template({ context: 'project', rules });
  for (const rules of [
    [rule('rbac.authorization.k8s.io', ['rolebindings'], '*')],
    [own(['projects'], 'updatepsa')],
    [own(['projects'], 'manage-namespaces')],
    [rule('', ['nodes'], 'update')],
    [rule('', ['persistentvolumes'], '*')],
    [rule('*', ['pods'], 'get')],
  ])
    assert.equal(await gives(owner, await homeMade(rules), owner, { projectId: project }), 403, JSON.stringify(rules));
  // What is within a shipped role is no more than he could give anyway.
  const routes = [rule('gateway.networking.k8s.io', ['httproutes'], 'get')];
  assert.equal(await gives(owner, await homeMade(routes), guest, { projectId: project }), 201);
  await api.want(200, 'PUT', '/v3/roletemplates/project-member', { body: { locked: true } });
  assert.equal(await gives(owner, 'project-member', guest, { projectId: project }), 422);
  assert.equal(await gives(owner, await homeMade(routes), guest, { projectId: project }), 403);
  await api.want(200, 'PUT', '/v3/roletemplates/project-member', { body: { locked: false } });
});

test('T21: what is gone gives nothing from the next request on: a project, a role, a binding', async () => {
  const sees = (user: User) => status(user, 'GET', `/v3/clusters/${cluster}`);
  const [ofProject, ofRole, ofBinding] = [
    await api.makeUser(`user-${++count}`),
    await api.makeUser(`user-${++count}`),
    await api.makeUser(`user-${++count}`),
  ];
  const other = await made('projects', { clusterId: cluster });
  await inProject('read-only', ofProject, other);
  const role = await template({ rules: [] });
  await inCluster(role, ofRole);
  const binding = await inCluster('cluster-member', ofBinding);
  for (const user of [ofProject, ofRole, ofBinding]) assert.equal(await sees(user), 200);
  await api.want(204, 'DELETE', `/v3/projects/${other}`);
  assert.equal(await sees(ofProject), 404);
  // The API lets no role go that is in use; a hand in the store might.
  await api.resources.delete('roleTemplate', { name: role });
  assert.equal(await sees(ofRole), 404);
  await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${binding}`);
  assert.equal(await sees(ofBinding), 404);
});

test('roles inherit from roles that are there, and in every cluster holds what is for clusters', async () => {
  const refused = async (path: string, body: object) => {
    const answer = await api.ask('POST', path, { body: { name: 'wrong', ...body } });
    return [answer.status, answer.body.code, answer.body.fieldName];
  };
  const missing = ['rt-later'];
  assert.deepEqual(await refused('/v3/roletemplates', { context: 'cluster', roleTemplateIds: missing }), [
    422,
    'InvalidReference',
    'roleTemplateIds',
  ]);
  const field = 'inheritedClusterRoles';
  const locked = await template({ locked: true });
  for (const [role, code] of [
    ['rt-later', 'InvalidReference'],
    ['project-owner', 'InvalidBodyContent'],
    [locked, 'InvalidState'],
  ] as const)
    assert.deepEqual(await refused('/v3/globalroles', { [field]: [role] }), [422, code, field], role);
});

test('whoever gives up his own rights is answered what he has changed', async () => {
  const rules = [own(['globalroles'], ...write)];
  const user = await api.makeUser(`user-${++count}`);
  const role = await made('globalroles', { rules });
  await made('globalrolebindings', { globalRoleId: role, userId: user.id });
  const answer = await api.ask('PUT', `/v3/globalroles/${role}`, { as: user.token, body: { rules: [] } });
  assert.deepEqual([answer.status, answer.body.id], [200, role]);
  assert.equal(await status(user, 'GET', `/v3/globalroles/${role}`), 404);
});
