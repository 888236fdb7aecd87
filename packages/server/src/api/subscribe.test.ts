/** `/v3/subscribe` over a real WebSocket: what a client is told, in which words, and when it is told no more. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { revokeToken } from '../auth/index.ts';
import type { Frame } from '../subscribe/fixture.ts';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

interface Client extends Disposable {
  readonly frames: Frame[];
  readonly socket: WebSocket;
  /** Waits for a frame of that name and id. */
  saw(name: string, id: string): Promise<Frame>;
}

async function open(path: string, token = api.admin, headers: Record<string, string> = {}): Promise<Client> {
  const socket = new WebSocket(`${api.url}${path}`, {
    ca: api.ca,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
  });
  const frames: Frame[] = [];
  socket.on('message', data => frames.push(JSON.parse(String(data))));
  await once(socket, 'open');
  return {
    frames,
    socket,
    saw: (name, id) => until(`${name} of ${id}`, () => frames.find(one => one.name === name && one.data.id === id)),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** The status that an upgrade is refused with. */
async function refused(path: string, token: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(`${api.url}${path}`, {
    ca: api.ca,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
  });
  socket.on('error', () => undefined);
  const [, answer] = await once(socket, 'unexpected-response', { signal: AbortSignal.timeout(10_000) }).finally(() =>
    socket.terminate(),
  );
  return answer.statusCode;
}

const makeCluster = async (name: string): Promise<string> =>
  (await api.want(201, 'POST', '/v3/clusters', { body: { name } })).id;

test('what is there comes first, then each change and removal', async () => {
  const id = await makeCluster('told');
  using client = await open('/v3/subscribe?resourceTypes=cluster&eventNames=resource.change');
  const first = await client.saw('resource.change', id);
  assert.deepEqual(first.data, await api.want(200, 'GET', `/v3/clusters/${id}`));
  const later = await makeCluster('later');
  await client.saw('resource.change', later);
  await api.want(200, 'PUT', `/v3/clusters/${id}`, { body: { description: 'new' } });
  await until('the change', () => client.frames.find(one => one.data.id === id && one.data.description === 'new'));
  await api.want(204, 'DELETE', `/v3/clusters/${id}`);
  await client.saw('resource.remove', id);
  assert.ok(client.frames.every(one => one.data.type === 'cluster'));
});

test('a context tells of its own, and filters hold', async () => {
  const [one, two] = [await makeCluster('one'), await makeCluster('two')];
  using below = await open(`/v3/clusters/${one}/subscribe?resourceTypes=project`);
  using named = await open('/v3/subscribe?resourceTypes=project&name=wanted');
  const make = async (clusterId: string, name: string) =>
    (await api.want(201, 'POST', '/v3/projects', { body: { clusterId, name } })).id;
  const [other, mine, wanted] = [await make(two, 'other'), await make(one, 'mine'), await make(two, 'wanted')];
  await below.saw('resource.change', mine);
  await named.saw('resource.change', wanted);
  assert.ok(!below.frames.some(frame => [other, wanted].includes(frame.data.id)));
  assert.ok(!named.frames.some(frame => [other, mine].includes(frame.data.id)));
});

test('a subscription ends when its token is taken back', async () => {
  const user = await api.makeUser('leaving');
  using client = await open('/v3/subscribe?resourceTypes=user', user.token);
  await client.saw('resource.change', user.id);
  const closed = once(client.socket, 'close', { signal: AbortSignal.timeout(10_000) });
  await revokeToken(api.deps, user.token.split(':')[0]!);
  assert.equal((await closed)[0], 1008);
});

test('who is not signed in, asks for what is not there, or is another site’s page is refused', async () => {
  assert.equal(await refused('/v3/subscribe', ''), 401);
  assert.equal(await refused('/v3/subscribe?resourceTypes=secret', api.admin), 404);
  assert.equal(await refused('/v3/clusters', api.admin), 404);
  assert.equal(await refused('/v3/clusters/c-none/subscribe', api.admin), 404);
  assert.equal(await refused('/v3/settings/cacerts', ''), 401);
  const foreign = { cookie: `R_SESS=${api.admin}`, origin: 'https://evil.example', 'user-agent': 'Mozilla/5.0' };
  assert.equal(await refused('/v3/subscribe', '', foreign), 403);
  const { body } = await api.ask('GET', '/v3/subscribe');
  assert.equal(body.status, 400);
});
