/** Who sees and may do what over the wire: others' things are not there, rights are never given beyond one's own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
let mine: string;
let others: string;
let owner: { readonly id: string; readonly token: string };
let member: { readonly id: string; readonly token: string };

const bind = (clusterId: string, roleTemplateId: string, userId: string, as?: string) =>
  api.ask('POST', '/v3/clusterroletemplatebindings', { as, body: { clusterId, roleTemplateId, userId } });

before(async () => {
  api = await openTestApi();
  [owner, member] = await Promise.all([api.makeUser('owner'), api.makeUser('member')]);
  mine = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'mine' } })).id;
  others = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'others' } })).id;
  assert.equal((await bind(mine, 'cluster-owner', owner.id)).status, 201);
  assert.equal((await bind(mine, 'cluster-member', member.id)).status, 201);
});
after(() => api[Symbol.asyncDispose]());

test('without credentials every path of v3 says to authenticate, in the words that clients know', async () => {
  for (const path of ['/v3', '/v3/users', '/v3/clusters/x', '/v3/settings', '/v3/settings/server-url', '/v3/nothing']) {
    const { status, body } = await api.ask('GET', path, { as: '' });
    assert.equal(status, 401, path);
    assert.deepEqual(body, { type: 'error', status: '401', message: 'Unauthorized 401: must authenticate' });
  }
});

test('a few settings are for everybody, and no spelling makes another one so', async () => {
  for (const name of ['cacerts', 'first-login', 'ui-banners', 'ui-issues', 'ui-pl', 'ui-brand', 'ui-default-landing'])
    assert.equal((await api.want(200, 'GET', `/v3/settings/${name}`, { as: '' })).id, name);
  for (const path of ['/v3/settings/install-uuid', '/v3/settings/constructor', '/v3//settings/cacerts'])
    assert.equal((await api.ask('GET', path, { as: '' })).status, 401, path);
  assert.equal((await api.ask('PUT', '/v3/settings/ui-pl', { as: '', body: { value: 'x' } })).status, 401);
  assert.equal((await api.ask('GET', '/v3/settings/cacerts/../install-uuid', { as: '' })).status, 400);
});

test('a cluster of others is not there: not listed, not found by id, and so is what is below it', async () => {
  const { data } = await api.want(200, 'GET', '/v3/clusters', { as: owner.token });
  assert.deepEqual(
    data.map((one: { id: string }) => one.id),
    [mine],
  );
  for (const path of [`/v3/clusters/${others}`, `/v3/cluster/${others}/schemas`, `/v3/clusters/${others}/nodes`]) {
    const { status, body } = await api.ask('GET', path, { as: owner.token });
    assert.deepEqual([status, body.code], [404, 'NotFound'], path);
  }
  assert.equal((await api.ask('DELETE', `/v3/clusters/${others}`, { as: owner.token })).status, 404);
  const real = await api.ask('GET', `/v3/clusters/${others}`, { as: owner.token });
  const none = await api.ask('GET', '/v3/clusters/c-zzzzz', { as: owner.token });
  assert.equal(real.body.message.replace(others, 'X'), none.body.message.replace('c-zzzzz', 'X'));
});

test('an owner gives others what he has in his cluster; a member gives nothing, and neither elsewhere', async () => {
  const guest = await api.makeUser('guest');
  assert.equal((await bind(mine, 'cluster-member', guest.id, member.token)).status, 403);
  assert.equal((await bind(mine, 'cluster-owner', member.id, member.token)).status, 403);
  assert.equal((await bind(mine, 'cluster-member', guest.id, owner.token)).status, 201);
  assert.ok([403, 404, 422].includes((await bind(others, 'cluster-member', guest.id, owner.token)).status));
  const body = { globalRoleId: 'admin', userId: owner.id };
  assert.equal((await api.ask('POST', '/v3/globalrolebindings', { as: owner.token, body })).status, 403);
});

test('who may bind global roles gives none that is more than his own', async () => {
  const clerk = await api.makeUser('clerk');
  await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: 'users-manage', userId: clerk.id } });
  const body = { globalRoleId: 'admin', userId: clerk.id };
  assert.equal((await api.ask('POST', '/v3/globalrolebindings', { as: clerk.token, body })).status, 403);
  const own = { globalRoleId: 'users-manage', userId: member.id };
  assert.equal((await api.ask('POST', '/v3/globalrolebindings', { as: clerk.token, body: own })).status, 201);
});

test('a member changes neither the cluster nor its owner’s binding', async () => {
  const body = { description: 'taken over' };
  assert.equal((await api.ask('PUT', `/v3/clusters/${mine}`, { as: member.token, body })).status, 403);
  assert.equal((await api.ask('DELETE', `/v3/clusters/${mine}`, { as: member.token })).status, 403);
});

test('passwords and keys are in no answer but the one that makes them', async () => {
  const password = 'canary-password-xyz';
  const body = { username: 'canary', password, name: 'C' };
  const made = await api.want(201, 'POST', '/v3/users', { body });
  const read = await api.want(200, 'GET', `/v3/users/${made.id}`);
  const token = await api.want(201, 'POST', '/v3/tokens', { body: { description: 'd' } });
  assert.match(token.token, /^token-[a-z0-9]+:[a-z0-9]+$/);
  const key = token.token.split(':')[1];
  const tokens = await api.want(200, 'GET', '/v3/tokens');
  const text = JSON.stringify([made, read, tokens, await api.want(200, 'GET', `/v3/tokens/${token.id}`)]);
  const stored = api.caches.token.get(token.id)!;
  const hashes = Object.values(stored).filter(value => typeof value === 'string' && value.length > 40) as string[];
  assert.ok(hashes.length > 0, 'the stored token has no hash to look for');
  for (const secret of [password, key, ...hashes, '$2']) assert.ok(!text.includes(secret), secret);
});

test('wrong input names the field, and unknown fields and filters are ignored', async () => {
  const refuse = async (path: string, body: unknown) => {
    const answer = await api.ask('POST', path, { body });
    return [answer.status, answer.body.code, answer.body.fieldName];
  };
  assert.deepEqual(await refuse('/v3/clusters', {}), [422, 'MissingRequired', 'Cluster name']);
  assert.deepEqual(await refuse('/v3/clusters', { name: 'mine' }), [422, 'NotUnique', 'Cluster name']);
  assert.deepEqual(await refuse('/v3/clusters', '[]'), [422, 'InvalidBodyContent', 'body']);
  assert.deepEqual(await refuse('/v3/clusters', '"x"'), [422, 'InvalidBodyContent', 'body']);
  assert.deepEqual(await refuse('/v3/clusters?action=fly', {}), [422, 'InvalidAction', 'action']);
  assert.equal((await api.ask('PATCH', '/v3/clusters')).body.code, 'MethodNotAllow');
  const { data } = await api.want(200, 'GET', '/v3/users?me=true&nonsense=1&constructor=x');
  assert.equal(data.length, 1);
  assert.ok(Number.isInteger(data[0].createdTS));
});

test('a setting keeps its value where none is sent, and an empty one goes back to the default', async () => {
  const put = (body: unknown) => api.want(200, 'PUT', '/v3/settings/ui-brand', { body });
  assert.equal((await put({ value: 'ours' })).value, 'ours');
  assert.equal((await put({})).value, 'ours');
  assert.equal((await put({ value: '' })).value, '');
});

test('a member of a project sees it and its cluster, and no other project', async () => {
  const clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'of-projects' } })).id;
  const project = async (name: string) =>
    (await api.want(201, 'POST', '/v3/projects', { body: { name, clusterId } })).id as string;
  const [mine, other] = [await project('mine'), await project('other')];
  const { id: userId, token } = await api.makeUser('project-member');
  const seen = async (path: string) =>
    (await api.want(200, 'GET', path, { as: token })).data.map((one: { id: string }) => one.id);
  assert.deepEqual(await seen('/v3/projects'), []);
  const body = { projectId: mine, roleTemplateId: 'project-member', userId };
  const { id } = await api.want(201, 'POST', '/v3/projectroletemplatebindings', { body });
  assert.equal(id.split(':')[0], mine.replace(':', '-'), 'it lies in the namespace of its project');
  assert.deepEqual(await seen('/v3/projects'), [mine]);
  assert.deepEqual(await seen('/v3/clusters'), [clusterId]);
  assert.equal((await api.ask('GET', `/v3/projects/${other}`, { as: token })).status, 404);
  assert.equal((await api.ask('GET', `/v3/project/${other}/workloads`, { as: token })).status, 404);
  await api.want(204, 'DELETE', `/v3/projectroletemplatebindings/${id}`);
  assert.deepEqual([await seen('/v3/projects'), await seen('/v3/clusters')], [[], []]);
});
