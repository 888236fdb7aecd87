/** Drivers and the schemas that come with them: what is switched off is not offered, and what clients bring never hides what is there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { driverSchemas } from '../controllers/driver-schemas.ts';
import { isHostAllowed } from '../outbound/hosts.ts';
import { startController } from '../resources/index.ts';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

const act = (path: string, action: string) => api.want(200, 'POST', `${path}?action=${action}`, { body: {} });

test('a way of making clusters that is switched off makes none, and those that are there stay', async () => {
  const path = '/v3/kontainerDrivers/rancherkubernetesengine';
  const driver = await api.want(200, 'GET', path);
  assert.deepEqual(
    [driver.name, driver.state, driver.builtIn, Object.keys(driver.actions), driver.links.remove],
    ['rancherKubernetesEngine', 'active', true, ['deactivate'], undefined],
  );
  const make = (name: string) => api.ask('POST', '/v3/clusters', { body: { name, rancherKubernetesEngineConfig: {} } });
  const before = await make('before');
  assert.equal(before.status, 201);
  await act(path, 'deactivate');
  const off = await api.want(200, 'GET', path);
  assert.deepEqual([off.state, Object.keys(off.actions)], ['inactive', ['activate']]);
  const refused = await make('after');
  assert.deepEqual([refused.status, refused.body.code], [422, 'InvalidOption']);
  await api.want(200, 'PUT', `/v3/clusters/${before.body.id}`, { body: { description: 'goes on' } });
  await api.want(201, 'POST', '/v3/clusters', { body: { name: 'imported' } });
  await act(path, 'activate');
  assert.equal((await make('after')).status, 201);
});

test('its hosts may be asked through the server while it is on; what it is stays', async () => {
  const path = '/v3/kontainerDrivers/rancherkubernetesengine';
  const wrong = await api.ask('PUT', path, { body: { whitelistDomains: ['*'] } });
  assert.deepEqual([wrong.status, wrong.body.fieldName], [422, 'whitelistDomains']);
  const changed = await api.want(200, 'PUT', path, { body: { whitelistDomains: ['api.example.com'], url: 'x' } });
  assert.deepEqual([changed.whitelistDomains, changed.url], [['api.example.com'], '']);
  assert.ok(isHostAllowed(api.deps, 'api.example.com'));
  await act(path, 'deactivate');
  assert.ok(!isHostAllowed(api.deps, 'api.example.com'));
  await act(path, 'activate');
});

test('drivers are seen by every user, and switched by who may change them', async () => {
  const { token, id } = await api.makeUser('looker');
  await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: 'user', userId: id } });
  const { data } = await api.want(200, 'GET', '/v3/kontainerdrivers', { as: token });
  assert.deepEqual([data.length, data[0].actions], [1, undefined]);
  const { status } = await api.ask('POST', `/v3/kontainerdrivers/${data[0].id}?action=deactivate`, { as: token });
  assert.equal(status, 422);
  assert.equal((await api.want(200, 'GET', '/v3/dynamicschemas', { as: token })).data.length, 0);
});

test('the schema of a credential comes and goes with its driver', async () => {
  const stop = new AbortController();
  const { resources, caches } = api;
  startController(driverSchemas, { resources, caches, log: silentLog, signal: stop.signal });
  const named = (name: string) => caches.dynamicSchema.get(name)?.spec;
  const offered = () => Object.keys(named('credentialconfig')?.resourceFields ?? {});
  await until('all of them', () => offered().length === 7 && named('linodecredentialconfig'), { timeoutMs: 10_000 });
  assert.deepEqual(named('linodecredentialconfig'), {
    schemaName: 'linodecredentialConfig',
    resourceFields: { token: { type: 'password', create: true, update: true, required: true, nullable: true } },
  });
  await act('/v3/nodeDrivers/linode', 'deactivate');
  await until('it to go', () => !named('linodecredentialconfig') && !offered().includes('linodecredentialConfig'), {
    timeoutMs: 10_000,
  });
  await api.want(404, 'GET', '/v3/schemas/linodecredentialConfig');
  const { resourceFields } = await api.want(200, 'GET', '/v3/schemas/cloudCredential');
  assert.ok(!('linodecredentialConfig' in resourceFields) && 'azurecredentialConfig' in resourceFields);
  await act('/v3/nodeDrivers/linode', 'activate');
  await until('it to be back', () => named('linodecredentialconfig'), { timeoutMs: 10_000 });
  await api.want(200, 'GET', '/v3/schemas/linodecredentialConfig');
  const { status } = await api.ask('DELETE', '/v3/dynamicschemas/linodecredentialconfig');
  assert.equal(status, 405);
  stop.abort();
});

test('a schema that a client brings is shown beside the others, never in the place of one', async () => {
  const has = async (id: string) => (await api.ask('GET', `/v3/schemas/${id}`)).status === 200;
  assert.ok(!(await has('sizeConfig')));
  const resourceFields = {
    count: { type: 'int', create: true, default: { intValue: 3 } },
    name: { type: 'string', create: true, update: true, nullable: true, options: ['a', 'b'] },
  };
  const body = { name: 'sizeconfig', schemaName: 'sizeConfig', resourceFields, collectionMethods: ['POST'] };
  const made = await api.want(201, 'POST', '/v3/dynamicschemas', { body });
  const shown = await api.want(200, 'GET', '/v3/schemas/sizeconfig');
  assert.deepEqual([shown.id, shown.collectionMethods], ['sizeConfig', []]);
  assert.deepEqual(shown.resourceFields, {
    count: { type: 'int', create: true, update: false, dynamicField: true, default: 3 },
    name: { type: 'string', create: true, update: true, nullable: true, options: ['a', 'b'], dynamicField: true },
  });
  const { data } = await api.want(200, 'GET', '/v3/schemas');
  assert.ok(data.some((one: { id: string }) => one.id === 'sizeConfig'));
  for (const [wrong, code] of [
    [{ name: 'mine', schemaName: 'Cluster' }, 'NotUnique'],
    [{ name: 'mine', schemaName: 'sizeconfig' }, 'NotUnique'],
    [{ name: 'credentialconfig' }, 'NotUnique'],
    [{ name: 'mine', embed: true, embedType: 'cluster' }, 'InvalidOption'],
  ] as const) {
    const { status, body: answer } = await api.ask('POST', '/v3/dynamicschemas', { body: wrong });
    assert.deepEqual([status, answer.code], [422, code], JSON.stringify(wrong));
  }
  const taken = await api.ask('PUT', made.links.self.slice(api.url.length), { body: { schemaName: 'project' } });
  assert.deepEqual([taken.status, taken.body.code], [422, 'NotUnique']);
  await api.want(204, 'DELETE', made.links.remove.slice(api.url.length));
  assert.ok(!(await has('sizeConfig')));
});
