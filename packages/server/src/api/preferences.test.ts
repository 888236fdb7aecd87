/** Preferences: everybody's own, by bare keys. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { callerOf, subscribeTo } from '../subscribe/fixture.ts';
import { Hub } from '../subscribe/hub.ts';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

test('a preference is made, read by its bare key, changed and deleted', async () => {
  const { token, id } = await api.makeUser('chooser');
  const made = await api.want(201, 'POST', '/v3/preferences', { as: token, body: { name: 'theme', value: '"dark"' } });
  assert.deepEqual([made.id, made.name, made.value, made.type], ['theme', 'theme', '"dark"', 'preference']);
  assert.equal(made.links.self, `${api.url}/v3/preferences/theme`);
  assert.equal(made.creatorId, id);
  const changed = await api.want(200, 'PUT', '/v3/preferences/theme', { as: token, body: { value: '"light"' } });
  assert.equal(changed.value, '"light"');
  assert.equal((await api.want(200, 'GET', '/v3/preferences?name=theme', { as: token })).data[0].value, '"light"');
  const again = await api.ask('POST', '/v3/preferences', { as: token, body: { name: 'theme', value: 'x' } });
  assert.deepEqual([again.status, again.body.code], [409, 'AlreadyExists']);
  await api.want(204, 'DELETE', '/v3/preferences/theme', { as: token });
  await api.want(404, 'GET', '/v3/preferences/theme', { as: token });
});

test('nobody sees or changes those of another, whatever namespace he names', async () => {
  const one = await api.makeUser('one');
  const two = await api.makeUser('two');
  const body = { name: 'landing', value: 'home', namespaceId: two.id };
  await api.want(201, 'POST', '/v3/preferences', { as: one.token, body });
  assert.ok(api.caches.preference.get('landing', one.id), 'it lies in the namespace of who made it');
  for (const as of [two.token, api.admin]) {
    assert.deepEqual((await api.want(200, 'GET', '/v3/preferences', { as })).data, []);
    for (const path of ['landing', `${one.id}:landing`, `${one.id}%2Flanding`])
      for (const method of ['GET', 'PUT', 'DELETE'])
        await api.want(404, method, `/v3/preferences/${path}`, {
          as,
          body: method === 'PUT' ? { value: 'x' } : undefined,
        });
  }
});

test('what is missing, too long or too many is refused with its code', async () => {
  const { token } = await api.makeUser('limits');
  const refused = async (body: object) => {
    const { status, body: error } = await api.ask('POST', '/v3/preferences', { as: token, body });
    return [status, error.code, error.fieldName];
  };
  assert.deepEqual(await refused({ value: 'x' }), [422, 'MissingRequired', 'name']);
  assert.deepEqual(await refused({ name: 'a' }), [422, 'MissingRequired', 'value']);
  assert.deepEqual(await refused({ name: 'Not A Label', value: 'x' }), [422, 'InvalidCharacters', 'name']);
  assert.deepEqual(await refused({ name: 'a', value: 'x'.repeat(64 * 1024 + 1) }), [422, 'MaxLengthExceeded', 'value']);
  for (let i = 0; i < 200; i++)
    await api.want(201, 'POST', '/v3/preferences', { as: token, body: { name: `p-${i}`, value: 'x' } });
  assert.deepEqual(await refused({ name: 'one-more', value: 'x' }), [422, 'MaxLimitExceeded', 'name']);
});

test('labels follow the rules of every PUT, and protected ones stay', async () => {
  const { token } = await api.makeUser('labels');
  const labels = { mine: 'a', 'authz.management.cattle.io/x': 'forged' };
  const made = await api.want(201, 'POST', '/v3/preferences', { as: token, body: { name: 'l', value: 'x', labels } });
  assert.deepEqual(made.labels, { mine: 'a', 'cattle.io/creator': 'norman' });
  const changed = await api.want(200, 'PUT', '/v3/preferences/l', { as: token, body: { labels: { other: 'b' } } });
  assert.deepEqual([changed.labels, changed.value], [{ 'cattle.io/creator': 'norman', other: 'b' }, 'x']);
});

test('who subscribes to preferences is told of his own only, by their bare keys', async () => {
  const me = await api.makeUser('watcher');
  const other = await api.makeUser('watched');
  const caller = await callerOf(api.deps, me.token);
  using watcher = subscribeTo(new Hub(api.deps), { deps: api.deps, caller }, { type: 'preference' });
  const told = () => watcher.frames.map(({ name, data }) => `${name} ${data.id} ${data.value ?? ''}`);
  for (const { token } of [me, other])
    await api.want(201, 'POST', '/v3/preferences', {
      as: token,
      body: { name: 'theme', value: token === me.token ? 'mine' : 'his' },
    });
  await until('the change', () => told().length > 0);

  await api.want(204, 'DELETE', '/v3/preferences/theme', { as: other.token });
  await api.want(204, 'DELETE', '/v3/preferences/theme', { as: me.token });
  await until('the removal', () => told().length > 1);
  assert.deepEqual(told(), ['resource.change theme mine', 'resource.remove theme ']);
});
