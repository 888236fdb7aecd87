/** Secrets of the server: read by their maker and by admins, by nobody else, and never half-written. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

test('a secret is its maker’s, and to others not there', async () => {
  const [mia, ann] = await Promise.all([api.makeUser('mia'), api.makeUser('ann')]);
  const body = { name: 'registry.key', stringData: { user: 'mia' }, data: { key: 'a2V5' } };
  const made = await api.want(201, 'POST', '/v3/managementsecrets', { as: mia.token, body });
  assert.deepEqual(made.data, { key: 'a2V5', user: Buffer.from('mia').toString('base64') });
  assert.equal(made.baseType, 'secret');
  for (const as of [mia.token, api.admin])
    assert.deepEqual((await api.want(200, 'GET', `/v3/managementsecrets/${made.id}`, { as })).data, made.data);
  for (const [method, sent] of [['GET'], ['PUT', {}], ['DELETE']] as const)
    assert.equal(
      (await api.ask(method, `/v3/managementsecrets/${made.id}`, { as: ann.token, body: sent })).status,
      404,
    );
  assert.deepEqual((await api.want(200, 'GET', '/v3/managementsecrets', { as: ann.token })).data, []);
});

test('what is no secret is refused, and an immutable one stays', async () => {
  const bad = [
    { data: { k: 'no base64!' } },
    { data: { 'a/b': '' } },
    { name: 'UPPER' },
    { data: { k: 'a'.repeat(1 << 21) } },
  ];
  for (const body of bad) {
    const { status } = await api.ask('POST', '/v3/managementsecrets', { body: { name: 'bad', ...body } });
    assert.ok([413, 422].includes(status), JSON.stringify(body).slice(0, 60));
  }
  const { id } = await api.want(201, 'POST', '/v3/managementsecrets', {
    body: { name: 'fixed', immutable: true, data: {} },
  });
  const { status } = await api.ask('PUT', `/v3/managementsecrets/${id}`, { body: { data: { k: 'YQ==' } } });
  assert.equal(status, 422);
});
