/** The server's own `/v1`, without any cluster: what dashboards read before and after sign-in, by the same rights as in v3. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { type ServerProcess, startServer } from '../server-process.ts';

let server: ServerProcess;
let admin: string;
let user: { readonly id: string; readonly token: string };

before(async () => {
  server = await startServer();
  admin = await server.login();
  user = await server.makeUser(admin, 'plain');
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
});

const get = (path: string, token = admin) => server.fetch('GET', `/v1${path}`, { token });
const idsOf = (body: { data: { id: string }[] }) => body.data.map(one => one.id);
const type = 'management.cattle.io';

test('anybody reads the settings that sign-in pages need, and nothing else', async () => {
  const { status, body, headers } = await get(`/${type}.settings?pagesize=100000&exclude=metadata.managedFields`, '');
  assert.deepEqual([status, headers['x-api-cattle-auth']], [200, 'false']);
  assert.ok(
    idsOf(body).includes('first-login') && !idsOf(body).includes('auth-user-session-ttl-minutes'),
    idsOf(body).join(),
  );
  assert.equal((await get(`/${type}.setting/server-version`, '')).status, 404);
  for (const path of ['', '/schemas', `/${type}.users`, `/${type}.settings/a/b`]) {
    const refused = await get(path, '');
    assert.deepEqual([refused.status, refused.headers['x-api-cattle-auth']], [401, 'false'], path);
  }
  assert.equal((await server.fetch('PUT', `/v1/${type}.settings/first-login`, { body: {} })).status, 401);
});

test('settings show their value, and are set through their own rules', async () => {
  const one = await get(`/${type}.settings/auth-user-session-ttl-minutes`);
  assert.deepEqual([one.body.type, one.body.customized, one.body.value], [`${type}.setting`, false, one.body.default]);
  const changed = await server.fetch('PUT', `/v1/${type}.settings/auth-user-session-ttl-minutes`, {
    token: admin,
    body: { ...one.body, value: '60', metadata: { ...one.body.metadata, resourceVersion: '99' } },
  });
  assert.equal(changed.status, 409);
  const put = (value: string, token: string) =>
    server.fetch('PUT', `/v1/${type}.settings/auth-user-session-ttl-minutes`, { token, body: { ...one.body, value } });
  assert.deepEqual([(await put('60', admin)).body.value, (await put('70', user.token)).status], ['60', 403]);
  await until(
    'the list to show it',
    async () => {
      const { body } = await get(`/${type}.settings?filter=value=60`);
      return idsOf(body).includes('auth-user-session-ttl-minutes');
    },
    { timeoutMs: 30_000 },
  );
});

test('clusters are listed to who is a member, closed to changes, with what v3 does with them', async () => {
  const made = await server.ask(admin, 'POST', '/v3/clusters', { name: 'one' });
  const { body } = await get(`/${type}.clusters?filter=spec.displayName=one`);
  assert.deepEqual([idsOf(body), body.createTypes], [[made.id], undefined]);
  const { links, actions } = body.data[0];
  assert.deepEqual([links.update, links.patch, links.remove], ['blocked', 'blocked', 'blocked']);
  assert.equal(links.shell, `${server.url.replace('https', 'wss')}/v3/clusters/${made.id}?shell=true`);
  assert.equal(actions.generateKubeconfig, `${server.url}/v3/clusters/${made.id}?action=generateKubeconfig`);
  assert.deepEqual((await get(`/${type}.clusters`, user.token)).body.data, []);
  assert.equal((await get(`/${type}.cluster/${made.id}`, user.token)).status, 404);
  const refused = await server.fetch('DELETE', `/v1/${type}.clusters/${made.id}`, { token: admin });
  assert.deepEqual([refused.status, refused.body.code], [403, 'PermissionDenied']);
});

test('no hash, no key and no other’s token is in any list', async () => {
  assert.equal((await get(`/${type}.tokens`)).status, 403);
  const { body } = await get('/schemas');
  const token = body.data.find((one: { id: string }) => one.id === `${type}.token`);
  assert.ok(token.collectionMethods.includes('blocked-GET'), JSON.stringify(token));
  for (const one of body.data as { id: string; links: { collection?: string } }[]) {
    if (!one.id.startsWith(type) || !one.links.collection) continue;
    const list = await server.fetch('GET', one.links.collection.slice(server.url.length), { token: admin });
    assert.ok(list.status === 200 || list.status === 403, `${one.id}: ${list.status}`);
    assert.doesNotMatch(JSON.stringify(list.body), /\$argon2|\$3:|\$scrypt|"password":/, one.id);
  }
});

test('who sees whom is as in v3', async () => {
  assert.ok(idsOf((await get(`/${type}.users`)).body).length >= 2);
  assert.deepEqual(idsOf((await get(`/${type}.users`, user.token)).body), [user.id]);
  assert.equal((await get(`/${type}.user/${user.id}`, user.token)).body.username, 'plain');
});

test('projects are made, changed and deleted through v3’s checks', async () => {
  const { id: clusterId } = await server.ask(admin, 'POST', '/v3/clusters', { name: 'two' });
  const body = {
    type: `${type}.project`,
    metadata: { namespace: clusterId, generateName: 'p-' },
    spec: { displayName: 'mine', clusterName: clusterId },
  };
  const made = await server.fetch('POST', `/v1/${type}.projects`, { token: admin, body });
  assert.deepEqual(
    [made.status, made.body.spec?.displayName, made.body.metadata?.namespace],
    [201, 'mine', clusterId],
    JSON.stringify(made.body),
  );
  const path = `/v1/${type}.projects/${made.body.id}`;
  const patch = await server.fetch('PATCH', path, {
    token: admin,
    body: { spec: { description: 'new' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.deepEqual(
    [patch.status, patch.body.spec?.description, patch.body.spec?.displayName],
    [200, 'new', 'mine'],
    JSON.stringify(patch.body),
  );
  assert.equal((await server.fetch('POST', `/v1/${type}.projects`, { token: user.token, body })).status, 403);
  assert.ok([200, 204].includes((await server.fetch('DELETE', path, { token: admin })).status));
});

test('preferences are each one’s own, replaced as one', async () => {
  const path = `/v1/userpreferences/${user.id}`;
  const put = (data: object) => server.fetch('PUT', path, { token: user.token, body: { data } });
  assert.deepEqual((await put({ theme: 'ui-dark', cluster: 'local' })).body.data, {
    theme: 'ui-dark',
    cluster: 'local',
  });
  assert.deepEqual((await put({ theme: 'ui-light' })).body.data, { theme: 'ui-light' });
  const { data } = (await get('/userpreferences', user.token)).body;
  assert.deepEqual([data.length, data[0].id, data[0].data], [1, user.id, { theme: 'ui-light' }]);
  assert.equal((await server.fetch('GET', path, { token: admin })).status, 404);
  assert.equal((await put({ theme: 1 })).status, 422);
});

test('subscribers are told of the server’s own resources, each of what he may see', async () => {
  const frames = new Map<string, { name: string; data: { id: string } }[]>();
  const sockets: WebSocket[] = [];
  try {
    for (const token of [admin, user.token]) {
      const socket = new WebSocket(`${server.url.replace('https', 'wss')}/v1/subscribe`, {
        ca: server.ca,
        headers: { authorization: `Bearer ${token}` },
      });
      sockets.push(socket);
      const seen: { name: string; data: { id: string } }[] = [];
      frames.set(token, seen);
      socket.on('message', data => seen.push(JSON.parse(String(data))));
      await once(socket, 'open');
      const { revision } = (await get(`/${type}.clusters`, token)).body;
      socket.send(JSON.stringify({ resourceType: `${type}.cluster`, resourceVersion: revision }));
      await until('the watch', () => seen.some(one => one.name === 'resource.start'), { timeoutMs: 30_000 });
    }
    const made = await server.ask(admin, 'POST', '/v3/clusters', { name: 'three' });
    const told = (token: string, name: string) =>
      frames.get(token)!.some(one => one.name === name && one.data.id === made.id);
    await until('the admin to be told', () => told(admin, 'resource.create'), { timeoutMs: 30_000 });
    await server.fetch('DELETE', `/v3/clusters/${made.id}`, { token: admin });
    await until(
      'the admin to be told of its end',
      () => told(admin, 'resource.remove') || told(admin, 'resource.change'),
      { timeoutMs: 30_000 },
    );
    assert.ok(!frames.get(user.token)!.some(one => one.data.id === made.id));
  } finally {
    for (const socket of sockets) socket.terminate();
  }
});
