/** Lists that are asked for again: the same bytes while nothing changed, and never what somebody may see no more. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
let mia: { readonly id: string; readonly token: string };
let clusterId: string;

before(async () => {
  api = await openTestApi();
  mia = await api.makeUser('mia');
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'one' } })).id;
});
after(() => api[Symbol.asyncDispose]());

const idsOf = async (path: string, as?: string): Promise<string[]> =>
  (await api.want(200, 'GET', path, { as })).data.map((one: { id: string }) => one.id);

const bind = (userId: string) =>
  api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId, roleTemplateId: 'cluster-member', userId },
  });

test('a role that is given or taken back holds for the next list', async () => {
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await idsOf('/v3/clusters', mia.token), []);
    const { id } = await bind(mia.id);
    assert.deepEqual(await idsOf('/v3/clusters', mia.token), [clusterId]);
    assert.deepEqual(await idsOf('/v3/clusters', mia.token), [clusterId]);
    await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${id}`);
  }
});

test('rules of a role that are changed hold for the next list', async () => {
  const rules = (resources: string[]) => [{ apiGroups: ['management.cattle.io'], resources, verbs: ['get', 'list'] }];
  const role = await api.want(201, 'POST', '/v3/globalroles', { body: { name: 'looker', rules: rules(['settings']) } });
  await api.want(201, 'POST', '/v3/globalrolebindings', { body: { globalRoleId: role.id, userId: mia.id } });
  const before = await idsOf('/v3/settings', mia.token);
  assert.ok(before.includes('install-uuid'));
  await api.want(200, 'PUT', `/v3/globalroles/${role.id}`, { body: { rules: rules(['features']) } });
  assert.ok(!(await idsOf('/v3/settings', mia.token)).includes('install-uuid'));
});

test('what is made, changed or deleted shows in the next list, whatever it asks for', async () => {
  const paths = ['/v3/clusters', '/v3/clusters?name=two', '/v3/clusters?sort=name&order=desc', '/v3/clusters?limit=1'];
  const all = () => Promise.all(paths.map(path => api.want(200, 'GET', path)));
  const first = await all();
  assert.deepEqual(await all(), first);
  const { id } = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'two' } });
  const second = await all();
  for (const [at, one] of second.entries()) assert.notDeepEqual(one, first[at], paths[at]!);
  await api.want(200, 'PUT', `/v3/clusters/${id}`, { body: { description: 'changed' } });
  assert.equal((await api.want(200, 'GET', '/v3/clusters?name=two')).data[0].description, 'changed');
  await api.want(200, 'PUT', '/v3/settings/ui-brand', { body: { value: 'shop' } });
  const brand = async () => (await api.want(200, 'GET', '/v3/settings?name=ui-brand')).data[0].value;
  assert.equal(await brand(), 'shop');
  await api.want(200, 'PUT', '/v3/settings/ui-brand', { body: { value: '' } });
  assert.equal(await brand(), '');
  await api.want(204, 'DELETE', `/v3/clusters/${id}`);
  assert.deepEqual(await all(), first);
});

test('nobody is given what was made for another, by whatever way he came', async () => {
  const { id } = await bind(mia.id);
  await idsOf('/v3/clusters');
  await api.want(201, 'POST', '/v3/clusters', { body: { name: 'not-hers' } });
  assert.equal((await idsOf('/v3/clusters')).length, 2);
  assert.deepEqual(await idsOf('/v3/clusters', mia.token), [clusterId]);
  // A token that is good for no path but one cluster's own.
  const scoped = await api.want(201, 'POST', '/v3/tokens', { as: mia.token, body: { clusterId } });
  assert.equal((await api.ask('GET', '/v3/clusters', { as: scoped.token })).status, 401);
  const linked = await api.want(200, 'GET', '/v3/clusters', { headers: { 'x-forwarded-host': 'drover.example' } });
  assert.ok(linked.links.self.startsWith('https://drover.example/'));
  assert.ok(!JSON.stringify(await api.want(200, 'GET', '/v3/clusters')).includes('drover.example'));
  const renamed = await api.want(200, 'GET', '/v3/users', { headers: { 'x-api-action-links': 'true' } });
  assert.ok(renamed.actionLinks);
  assert.ok((await api.want(200, 'GET', '/v3/users')).actions);
  const yaml = await api.ask('GET', '/v3/clusters', { headers: { accept: 'application/yaml' } });
  assert.match(String(yaml.headers['content-type']), /yaml/);
  await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${id}`);
});

test('what is below a cluster is gone with the way into it', async () => {
  const path = `/v3/clusters/${clusterId}/projects`;
  const { id } = await bind(mia.id);
  for (let round = 0; round < 2; round++) assert.deepEqual(await idsOf(path, mia.token), []);
  await api.want(204, 'DELETE', `/v3/clusterroletemplatebindings/${id}`);
  assert.equal((await api.ask('GET', path, { as: mia.token })).status, 404);
});

test('it is the same answer compressed, and with the same headers', async () => {
  const path = '/v3/settings';
  const plain = [await api.ask('GET', path), await api.ask('GET', path)];
  const { date: _, ...headers } = plain[0]!.headers;
  const { date: __, ...again } = plain[1]!.headers;
  assert.deepEqual(again, headers);
  assert.equal(headers['x-api-schemas'], `https://localhost:${api.port}/v3/schemas`);
  for (let round = 0; round < 2; round++) {
    const answer = await raw(path, { 'accept-encoding': 'gzip' });
    assert.equal(answer.encoding, 'gzip');
    assert.deepEqual(JSON.parse(String(gunzipSync(answer.body))), plain[0]!.body);
  }
});

async function raw(path: string, headers: Record<string, string>): Promise<{ body: Buffer; encoding?: string }> {
  const { Agent, request } = await import('undici');
  const agent = new Agent({ connect: { ca: api.ca } });
  try {
    const answer = await request(`${api.url}${path}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${api.admin}`, ...headers },
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    return { body, encoding: answer.headers['content-encoding'] as string | undefined };
  } finally {
    await agent.close();
  }
}
