/** Workspaces: whose they are, which cluster is in which, and what keeps one from going. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { creatorAnnotation } from '@drover/api';
import { silentLog, until } from '@drover/base';
import { defaultWorkspace } from '../fleet-workspaces.ts';
import { startController } from '../resources/index.ts';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

/** Somebody with the rights of every user. */
async function makeUser(name: string) {
  const made = await api.makeUser(name);
  await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: 'user', userId: made.id } });
  return made;
}

const names = async (as = api.admin): Promise<string[]> => {
  const { data } = await api.want(200, 'GET', '/v3/fleetworkspaces', { as });
  return data.map((one: { name: string }) => one.name).sort();
};

test('two are there from the start, which stay', async () => {
  assert.deepEqual(await names(), ['fleet-default', 'fleet-local']);
  for (const name of await names()) {
    const one = await api.want(200, 'GET', `/v3/fleetWorkspaces/${name}`);
    assert.equal(one.links.remove, undefined);
    const { status, body } = await api.ask('DELETE', `/v3/fleetWorkspaces/${name}`);
    assert.deepEqual([status, body.code], [405, 'MethodNotAllow']);
  }
});

test('a workspace is its maker’s: others neither see nor change it, nor put clusters into it', async () => {
  const [anna, ben] = [await makeUser('anna'), await makeUser('ben')];
  await api.want(201, 'POST', '/v3/fleetworkspaces', { as: anna.token, body: { name: 'annas' } });
  assert.deepEqual(await names(anna.token), ['annas']);
  assert.deepEqual(await names(ben.token), []);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const { status } = await api.ask(method, '/v3/fleetworkspaces/annas', { as: ben.token, body: {} });
    assert.equal(status, 404, method);
  }
  const make = (as: string, name: string, fleetWorkspaceName?: string) =>
    api.ask('POST', '/v3/clusters', { as, body: { name, fleetWorkspaceName } });
  const refused = await make(ben.token, 'bens', 'annas');
  assert.deepEqual([refused.status, refused.body.code], [422, 'InvalidReference']);
  assert.equal((await make(ben.token, 'bens', 'fleet-default')).body.fleetWorkspaceName, 'fleet-default');
  assert.equal((await make(anna.token, 'annas', 'annas')).body.fleetWorkspaceName, 'annas');
});

test('nobody makes workspaces without end', async () => {
  const dora = await makeUser('dora');
  const annotations = { [creatorAnnotation]: dora.id };
  const make = (_: unknown, index: number) =>
    api.resources.create('fleetWorkspace', { metadata: { name: `doras-${index}`, annotations } });
  const made = await Promise.all(Array.from({ length: 199 }, make));
  const ask = (name: string) => api.ask('POST', '/v3/fleetworkspaces', { as: dora.token, body: { name } });
  assert.deepEqual([(await ask('last')).status, (await ask('too-many')).status], [201, 403]);
  await Promise.all(made.map(({ metadata: { name } }) => api.resources.delete('fleetWorkspace', { name })));
});

test('whoever sees a workspace still needs the right to put clusters into it', async () => {
  const carl = await makeUser('carl');
  await api.want(201, 'POST', '/v3/fleetworkspaces', { body: { name: 'shown' } });
  const give = async (verbs: readonly string[]) => {
    const rules = [{ apiGroups: ['management.cattle.io'], resources: ['fleetworkspaces'], verbs }];
    const { id } = await api.want(201, 'POST', '/v3/globalroles', { body: { name: verbs.join(), rules } });
    await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: id, userId: carl.id } });
  };
  await give(['get']);
  const body = { name: 'carls', fleetWorkspaceName: 'shown' };
  await api.want(403, 'POST', '/v3/clusters', { as: carl.token, body });
  await give(['fleetaddcluster']);
  await api.want(201, 'POST', '/v3/clusters', { as: carl.token, body });
});

test('a cluster is in one workspace, is put into another, and never into none; one with clusters stays', async () => {
  await api.want(201, 'POST', '/v3/fleetworkspaces', { body: { name: 'north' } });
  const { id, links } = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'moved' } });
  const path = links.self.slice(api.url.length);
  const at = async () => (await api.want(200, 'GET', path)).fleetWorkspaceName;
  assert.equal(await at(), 'fleet-default');
  const none = await api.ask('PUT', path, { body: { fleetWorkspaceName: 'nowhere' } });
  assert.deepEqual([none.status, none.body.code], [422, 'InvalidReference']);
  await api.want(200, 'PUT', path, { body: { fleetWorkspaceName: 'north' } });
  for (const fleetWorkspaceName of [null, '']) await api.want(200, 'PUT', path, { body: { fleetWorkspaceName } });
  assert.equal(await at(), 'north');
  await api.want(200, 'PUT', `${path}?_replace=true`, { body: { name: 'moved' } });
  assert.equal(await at(), 'north', 'a replacement that does not name it leaves it there');
  const { data } = await api.want(200, 'GET', '/v3/clusters?fleetWorkspaceName=north');
  assert.deepEqual(
    data.map((one: { id: string }) => one.id),
    [id],
  );
  const held = await api.ask('DELETE', '/v3/fleetworkspaces/north');
  assert.deepEqual([held.status, held.body.code], [422, 'InvalidAction']);
  await api.want(204, 'DELETE', path);
  await api.want(204, 'DELETE', '/v3/fleetworkspaces/north');
});

test('the cluster that the server runs itself stays in its own', async () => {
  const spec = { displayName: 'local', internal: true };
  await api.resources.create('cluster', { metadata: { name: 'local' }, spec });
  assert.equal((await api.want(200, 'GET', '/v3/clusters/local')).fleetWorkspaceName, 'fleet-local');
  const body = { fleetWorkspaceName: 'fleet-default' };
  const { status, body: answer } = await api.ask('PUT', '/v3/clusters/local', { body });
  assert.deepEqual([status, answer.code], [422, 'InvalidOption']);
  await api.want(200, 'PUT', '/v3/clusters/local', { body: { description: 'of the server' } });
});

test('the workspace that a setting names is made, and clusters go there', async () => {
  const stop = new AbortController();
  const { resources, caches } = api;
  startController(defaultWorkspace, { resources, caches, log: silentLog, signal: stop.signal });
  await api.want(200, 'PUT', '/v3/settings/fleet-default-workspace-name', { body: { value: 'ours' } });
  await until('the workspace', () => caches.fleetWorkspace.get('ours'), { timeoutMs: 10_000 });
  assert.equal((await api.want(201, 'POST', '/v3/clusters', { body: { name: 'there' } })).fleetWorkspaceName, 'ours');
  stop.abort();
});
