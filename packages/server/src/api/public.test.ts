/** What v3 answers before anybody has signed in, and to whose token has ended. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

const nobody = { as: '' };

test('the public version is a root with schemas that lead to signing in', async () => {
  const root = await api.ask('GET', '/v3-public', nobody);
  assert.deepEqual([root.status, root.body.type, root.body.apiVersion.path], [200, 'apiRoot', '/v3-public']);
  assert.equal(root.headers['x-api-schemas'], `${api.url}/v3-public/schemas`);
  const { data } = await api.want(200, 'GET', '/v3-public/schemas', nobody);
  const ids = data.map((schema: { id: string }) => schema.id);
  for (const id of ['authProvider', 'localProvider', 'basicLogin', 'token', 'authToken'])
    assert.ok(ids.includes(id), id);
  assert.ok(!ids.includes('githubProvider'), 'what is not there is not shown');
  const local = await api.want(200, 'GET', '/v3-public/schemas/LOCALprovider', nobody);
  assert.deepEqual(local.resourceActions.login, { input: 'basicLogin', output: 'token' });
  const providers = data.find((schema: { id: string }) => schema.id === 'authProvider');
  const list = await api.want(200, 'GET', providers.links.collection.slice(api.url.length), nobody);
  assert.deepEqual(
    list.data.map((provider: { id: string; type: string }) => [provider.id, provider.type]),
    [['local', 'localProvider']],
  );
  for (const path of ['/v3-public/schemas/nonsense', '/v3-public/nonsense', '/v3-public/schemas/a/b'])
    assert.equal((await api.ask('GET', path, nobody)).status, 404, path);
  assert.equal((await api.ask('POST', '/v3-public/schemas', nobody)).status, 405);
});

test('a token that has ended still signs out, and does nothing else', async () => {
  const made = await api.want(201, 'POST', '/v3/tokens', { body: { ttl: 1 } });
  const ended = { as: made.token as string };
  const { id } = made;
  const list = async () => (await api.ask('GET', '/v3/tokens', ended)).status;
  for (let tries = 0; (await list()) !== 401; tries++) assert.ok(tries < 1000);
  assert.equal((await api.ask('POST', '/v3/tokens', { ...ended, body: {} })).status, 401);
  const forged = { as: `${id}:${'x'.repeat(54)}` };
  assert.equal((await api.ask('POST', '/v3/tokens?action=logout', forged)).status, 401);
  const out = await api.ask('POST', '/v3/tokens?action=logout', ended);
  assert.equal(out.status, 200);
  assert.match(String(out.headers['set-cookie']), /R_SESS=;/);
  assert.equal((await api.ask('GET', `/v3/tokens/${id}`)).status, 404);
});
