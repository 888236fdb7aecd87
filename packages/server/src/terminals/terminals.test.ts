/** A shell outlives its connection and is its user's alone; files go both ways and go on after a break. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

let cluster: StandIn;
let api: TestApi;
let clusterId: string;
let dir: string;

before(async () => {
  cluster = await startStandIn();
  dir = await mkdtemp(join(tmpdir(), 'drover-terminals-'));
  const upstreams: Upstreams = {
    get: id => ({ clusterId: id, kind: 'agent', origin: cluster.url }),
    connection: () => ({ server: cluster.url }),
    subscribe: () => undefined,
  };
  api = await openTestApi({ upstreams });
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'test' } })).id;
});
after(async () => {
  await api?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true });
});

interface Terminal {
  readonly socket: WebSocket;
  readonly frames: { type: string; id?: string; received?: number; lost?: number; why?: string }[];
  readonly text: () => string;
}

const where = () => `clusterId=${clusterId}&namespace=shop&pod=web-0&container=web`;

async function open(query: string, token = api.admin, headers: Record<string, string> = {}): Promise<Terminal> {
  const url = `wss://localhost:${api.port}/v1-terminals?${query}`;
  const socket = new WebSocket(url, {
    ca: api.ca,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
  });
  const frames: Terminal['frames'] = [];
  let text = '';
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) text += data.toString();
    else frames.push(JSON.parse(data.toString()));
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  await until('its session', () => frames.length > 0);
  return { socket, frames, text: () => text };
}

const shell = () => open(`${where()}&command=sh`);
const gone = (socket: WebSocket) => until('the socket to be closed', () => socket.readyState === WebSocket.CLOSED);

test('a shell is run as its user, and one who was away goes on where he was', async () => {
  const first = await shell();
  first.socket.send(Buffer.from('hello'));
  await until('its answer', () => first.text() === 'HELLO');
  assert.equal(cluster.users.at(-1), api.adminId);
  const { id } = first.frames[0]!;
  first.socket.terminate();
  await gone(first.socket);
  for (const terminal of cluster.terminals) terminal.send(Buffer.concat([Buffer.of(1), Buffer.from(' meanwhile')]));
  const second = await open(`${where()}&session=${id}&read=5`);
  assert.deepEqual(second.frames[0], { type: 'session', id, received: 5, lost: 0 });
  await until('what he missed', () => second.text() === ' meanwhile');
  second.socket.send(JSON.stringify({ close: true }));
  await gone(second.socket);
  await until('the shell to be gone', () => cluster.terminals.size === 0);
});

test('a shell is nobody else’s, not even under another token of the same user', async () => {
  const mine = await shell();
  const { id } = mine.frames[0]!;
  const stranger = await api.makeUser('stranger');
  await api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId, roleTemplateId: 'cluster-owner', userId: stranger.id },
  });
  await assert.rejects(open(`${where()}&session=${id}&read=0`, stranger.token), /404/);
  const other = await api.want(201, 'POST', '/v3/tokens', { body: { description: 'another' } });
  await assert.rejects(open(`${where()}&session=${id}&read=0`, other.token), /404/);
  mine.socket.send(JSON.stringify({ close: true }));
  await gone(mine.socket);
});

test('who is no member opens no shell and reads no file', async () => {
  const outsider = await api.makeUser('outsider');
  const before = cluster.users.length;
  await assert.rejects(open(`${where()}&command=sh`, outsider.token), /404/);
  const answer = await api.ask('GET', `/v1-files?${where()}&path=/etc/passwd`, { as: outsider.token });
  assert.equal(answer.status, 404);
  assert.equal(cluster.users.length, before);
});

test('a browser is told in words why it gets no shell', async () => {
  const outsider = await api.makeUser('surfer');
  const { frames, socket } = await open(`${where()}&command=sh`, '', { cookie: `R_SESS=${outsider.token}` });
  await gone(socket);
  assert.deepEqual(frames, [{ type: 'ended', why: `cluster "${clusterId}" not found` }]);
});

test('while pod-shell is off nobody gets a shell, a file or a container with tools', async () => {
  const before = cluster.users.length;
  await api.want(200, 'PUT', '/v3/features/pod-shell', { body: { value: false } });
  await assert.rejects(shell(), /403/);
  assert.equal((await api.ask('GET', `/v1-files?${where()}&path=/etc`)).status, 403);
  const body = { clusterId, namespace: 'shop', pod: 'web-0', container: 'web', image: 'busybox' };
  assert.equal((await api.ask('POST', '/v1-terminals?action=debug', { body })).status, 403);
  assert.equal(cluster.users.length, before);
  await api.want(200, 'PUT', '/v3/features/pod-shell', { body: { value: true } });
});

test('a token that is taken back ends its shells at once', async () => {
  const token = await api.want(201, 'POST', '/v3/tokens', { body: { description: 'for a while' } });
  const opened = await open(`${where()}&command=sh`, token.token);
  await api.ask('DELETE', `/v3/tokens/${token.id}`);
  await gone(opened.socket);
  assert.match(opened.frames.at(-1)?.why ?? '', /session has ended/);
  await until('the shell to be gone', () => cluster.terminals.size === 0);
});

test('a token that is taken back ends what is being uploaded, although its client sends nothing', async () => {
  const token = await api.want(201, 'POST', '/v3/tokens', { body: { description: 'for a while' } });
  const own = await mkdtemp(join(tmpdir(), 'drover-upload-'));
  const path = `/v1-files?${where()}&path=${encodeURIComponent(join(own, 'half'))}`;
  const headers = { authorization: `Bearer ${token.token}`, 'content-length': 20 };
  const asked = request({ host: 'localhost', port: api.port, ca: api.ca, path, method: 'PUT', headers, agent: false });
  let answer: IncomingMessage | undefined;
  asked.on('response', response => (answer = response));
  asked.on('error', () => undefined);
  try {
    asked.write('0123456789');
    await until('the command to run', () => existsSync(join(own, 'half.drover-part')));
    await api.ask('DELETE', `/v3/tokens/${token.id}`);
    const { statusCode, headers: seen } = await until('it to be answered', () => answer);
    assert.deepEqual([statusCode, seen.connection], [401, 'close']);
  } finally {
    asked.destroy();
    await rm(own, { recursive: true });
  }
});

test('another site’s page opens no shell, and has nothing run by reading', async () => {
  const browser = { 'user-agent': 'Mozilla/5.0', origin: 'https://evil.example' };
  await assert.rejects(open(`${where()}&command=sh`, api.admin, browser), /403/);
  const headers = { 'user-agent': 'Mozilla/5.0', 'sec-fetch-site': 'cross-site' };
  assert.equal((await api.ask('GET', `/v1-files?${where()}&path=/etc/hosts`, { headers })).status, 403);
});

test('a name can not lead to another path of the cluster’s API', async () => {
  for (const pod of ['..', 'a/b', 'a%2Fb', 'A', ''])
    await assert.rejects(
      open(`clusterId=${clusterId}&namespace=shop&pod=${encodeURIComponent(pod)}&command=sh`),
      /422/,
      pod,
    );
});

test('files are listed, read from where one was, and written piece by piece', async () => {
  const content = randomBytes(300_000);
  await writeFile(join(dir, 'a file'), content);
  const ask = (path: string, more = '') => `/v1-files?${where()}&path=${encodeURIComponent(path)}${more}`;
  const listed = await api.want(200, 'GET', ask(dir, '&list=true'));
  assert.deepEqual(
    listed.entries.map((one: { name: string; size: number }) => [one.name, one.size]),
    [['a file', 300_000]],
  );
  const rest = await api.ask('GET', ask(join(dir, 'a file')), { headers: { range: 'bytes=299990-' } });
  assert.equal(rest.status, 206);
  assert.equal(rest.headers['content-length'], '10');
  assert.equal((await api.ask('GET', ask(join(dir, 'none')))).status, 404);
  const target = join(dir, 'written');
  const send = (offset: number, body: string, last: boolean) =>
    api.want(200, 'PUT', ask(target, `&offset=${offset}${last ? '&last=true' : ''}`), { body });
  assert.deepEqual(await send(0, 'one ', false), { size: 4 });
  assert.deepEqual(await send(40, 'lost', true), { size: 4 });
  assert.deepEqual(await send(4, 'two', true), { size: 7 });
  assert.equal(await readFile(target, 'utf8'), 'one two');
});
