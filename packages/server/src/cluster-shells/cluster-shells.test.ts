/** A kubectl shell is its user's alone and has his rights; nothing holds its token but its own memory, and nothing of it is left. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { promisify } from 'node:util';
import { unavailable, until } from '@drover/base';
import { WebSocket } from 'ws';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import { clusterShellSweep } from '../controllers/cluster-shell-sweep.ts';
import { marksOf, shellPart } from '../controllers/ours.ts';
import { startController } from '../resources/index.ts';
import { type StandIn, startStandIn } from '../terminals/stand-in.ts';
import { ClusterShells } from './cluster-shells.ts';
import { lookAtPod, waitForShellPod } from './pod-start.ts';
import { PodsStandIn } from './pods-stand-in.ts';
import { openShellToken } from './shell-token.ts';

const pods = new PodsStandIn();
let cluster: StandIn;
let api: TestApi;
let clusterId: string;
let home: string;
let away: string | undefined;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'drover-shell-home-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    KUBECONFIG: join(home, '.kube/config'),
    ENV: join(home, '.shrc'),
  };
  cluster = await startStandIn({ answer: pods.answer, env });
  const upstreams: Upstreams = {
    get: id => ({ clusterId: id, kind: 'agent', origin: cluster.url }),
    connection: () => {
      if (away) throw unavailable(away);
      return { server: cluster.url };
    },
    subscribe: () => undefined,
  };
  api = await openTestApi({ upstreams });
  clusterId = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'test' } })).id;
  await api.settings.set('server-url', 'https://drover.test');
});
after(async () => {
  await api?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  if (home) await rm(home, { recursive: true });
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.terminate();
  await until('nothing to be left', () => pods.pods.size === 0 && shellTokens().length === 0);
});

const opened: WebSocket[] = [];
const shellTokens = () => [...api.caches.token.all()].filter(({ description }) => description === 'kubectl shell');
const path = (id = clusterId) => `/v3/clusters/${id}?shell=true`;
const ofDashboard = '&stdout=1&stdin=1&stderr=1&tty=1&command=/bin/sh';

async function signsIn(token: string, where: string): Promise<boolean> {
  const shown = { headers: { authorization: `Bearer ${token}`, host: 'localhost' } } as IncomingMessage;
  const signedIn = api.deps.auth.authenticate(shown, { path: where, cookies: false });
  return signedIn.then(
    caller => caller !== undefined,
    () => false,
  );
}

interface Opening {
  readonly as?: string;
  readonly protocol?: string;
  readonly headers?: Record<string, string>;
}

interface Opened {
  readonly socket: WebSocket;
  readonly text: () => string;
  readonly closed: () => string | undefined;
  send(channel: number, text: string): void;
}

/** As dashboards do: base64 behind the digit of a channel. */
async function open(
  where = path(),
  { as = api.admin, protocol = 'base64.channel.k8s.io', headers }: Opening = {},
): Promise<Opened> {
  const socket = new WebSocket(`wss://localhost:${api.port}${where}`, [protocol], {
    ca: api.ca,
    headers: { authorization: `Bearer ${as}`, ...headers },
  });
  opened.push(socket);
  const isBase64 = protocol.includes('base64');
  let text = '';
  let closed: string | undefined;
  socket.on('message', (data: Buffer) => {
    if (data[0] !== (isBase64 ? 0x31 : 1)) return;
    text += isBase64 ? Buffer.from(data.subarray(1).toString(), 'base64').toString() : data.subarray(1).toString();
  });
  socket.once('close', (_, reason) => (closed = reason.toString()));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const send = (channel: number, words: string) =>
    socket.send(
      isBase64
        ? `${channel}${Buffer.from(words).toString('base64')}`
        : Buffer.concat([Buffer.of(channel), Buffer.from(words)]),
    );
  return { socket, text: () => text, closed: () => closed, send };
}

const pod = () => until('its pod', () => [...pods.pods.values()].at(-1));
const running = { containerStatuses: [{ state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }] };

async function run(): Promise<string> {
  const { metadata } = await pod();
  pods.report(metadata.name, { status: running, spec: { nodeName: 'node-1' } });
  return metadata.name;
}

for (const protocol of ['base64.channel.k8s.io', 'v4.channel.k8s.io']) {
  test(`a dashboard’s client opens one with ${protocol}, and at its end nothing is left`, async () => {
    const it = await open(path() + ofDashboard, { protocol });
    assert.equal(it.socket.protocol, protocol);
    const made = await pod();
    assert.match(made.metadata.name, /^dashboard-shell-/);
    assert.equal(made.metadata.namespace, 'cattle-system');
    await until('what it waits for', () => /no node has taken it yet/.test(it.text()));
    // What is typed too early is not lost.
    it.send(0, 'hello');
    await run();
    await until('its answer', () => it.text().includes('HELLO'));
    const config = JSON.parse(await readFile(join(home, '.kube/config'), 'utf8'));
    const { token } = config.users[0].user;
    const [of] = shellTokens();
    assert.equal(token.split(':')[0], of!.metadata.name);
    assert.deepEqual([of!.userId, of!.clusterName], [api.adminId, clusterId]);
    assert.equal(config.clusters[0].cluster.server, `https://drover.test/k8s/clusters/${clusterId}`);
    // It is good for the cluster's own API, and for nothing else.
    assert.equal(await signsIn(token, `/k8s/clusters/${clusterId}/api`), true);
    for (const other of ['/k8s/clusters/local/api', `/v3/clusters/${clusterId}`, '/v3/users', '/v1-terminals'])
      assert.equal(await signsIn(token, other), false, other);
    it.socket.close();
    await until('the pod to be gone', () => pods.pods.size === 0);
    await until('the terminal to be gone', () => cluster.terminals.size === 0);
    assert.equal(await signsIn(token, `/k8s/clusters/${clusterId}/api`), false);
  });
}

test('its pod has no more than it needs, and nobody’s token', async () => {
  await open();
  await run();
  await until('the kubeconfig to be handed over', () => cluster.terminals.size === 1);
  const { users } = JSON.parse(await readFile(join(home, '.kube/config'), 'utf8'));
  const text = pods.made.at(-1)!;
  assert.ok(!text.includes(users[0].user.token.split(':')[1]));
  const { spec } = JSON.parse(text);
  const [container] = spec.containers;
  assert.equal(spec.automountServiceAccountToken, false);
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.ok(spec.activeDeadlineSeconds > 0 && container.resources.limits.memory && container.resources.limits.cpu);
  assert.ok(
    spec.volumes.every((volume: { emptyDir?: object }) => volume.emptyDir),
    'no Secret and no ConfigMap',
  );
  assert.equal(spec.volumes[0].emptyDir.medium, 'Memory');
  assert.equal(container.image, 'rancher/shell:v0.8.1');
});

test('bash finds k, and what completions need of a library that its image lacks', async () => {
  await open();
  await run();
  await until('what was handed over', () => cluster.terminals.size === 1);
  const words =
    'alias k; COMP_WORDS=(k get po); COMP_CWORD=2; COMP_LINE="k get po"; COMP_POINT=8; _get_comp_words_by_ref -n =: cur prev words cword; echo "$prev $cur"';
  const env = { PATH: '/usr/bin:/bin', HOME: home, ENV: join(home, '.shrc') };
  const { stdout } = await promisify(execFile)('bash', ['-i', '-c', words], { env });
  assert.equal(stdout, "alias k='kubectl'\nget po\n");
});

test('who is no member, another site’s page, and a token for another cluster open none', async () => {
  const before = pods.made.length;
  const outsider = await api.makeUser('outsider');
  await assert.rejects(open(path(), { as: outsider.token }), /404/);
  await assert.rejects(open('/v1-terminals?shell=true&clusterId=local', { as: outsider.token }), /404/);
  await assert.rejects(open(path('local'), { as: outsider.token }), /404/);
  const other = (await api.want(201, 'POST', '/v3/clusters', { body: { name: 'other' } })).id;
  const scoped = await api.want(201, 'POST', '/v3/tokens', { body: { clusterId: other } });
  await assert.rejects(open(path(), { as: scoped.token }), /401/);
  const browser = { 'user-agent': 'Mozilla/5.0', origin: 'https://evil.example' };
  await assert.rejects(open(path(), { headers: browser }), /403/);
  await assert.rejects(open('/v3/users?shell=true'), /404/);
  assert.equal(pods.made.length, before);
});

test('the link is there for members, and neither link nor shell while the feature is off', async () => {
  const shown = () => api.want(200, 'GET', `/v3/clusters/${clusterId}`);
  assert.equal((await shown()).links.shell, `wss://localhost:${api.port}/v3/clusters/${clusterId}?shell=true`);
  await api.want(200, 'PUT', '/v3/features/cluster-shell', { body: { value: false } });
  assert.equal((await shown()).links.shell, undefined);
  const before = pods.made.length;
  const it = await open();
  await until('it to end', () => it.closed());
  assert.match(it.closed()!, /switched off/);
  assert.equal(pods.made.length, before);
  await api.want(200, 'PUT', '/v3/features/cluster-shell', { body: { value: true } });
  assert.ok((await shown()).links.shell);
});

test('an image that can’t be pulled is said at once', async () => {
  const it = await open();
  const { metadata } = await pod();
  const waiting = { reason: 'ErrImagePull', message: 'pull access denied\x1b[2J' };
  pods.report(metadata.name, { status: { containerStatuses: [{ state: { waiting } }] }, spec: { nodeName: 'node-1' } });
  await until('it to end', () => it.closed());
  assert.match(it.closed()!, /its image can’t be pulled: pull access denied/);
  assert.match(it.text(), /its image can’t be pulled/);
  // What a cluster says moves no cursor.
  assert.ok(!it.text().includes('\x1b[2J'));
});

test('a cluster that is away is said in words', async () => {
  away = 'cluster "test" is not connected';
  const it = await open();
  await until('it to end', () => it.closed());
  assert.match(it.closed()!, /not connected/);
  away = undefined;
});

/** A handshake that lacks its key. */
function halfOpen(where: string): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${api.admin}`, connection: 'Upgrade', upgrade: 'websocket' };
  const asked = request({ host: 'localhost', port: api.port, ca: api.ca, path: where, headers, agent: false });
  return new Promise((resolve, reject) => {
    asked.once('response', answer => resolve(answer.resume().statusCode));
    asked.once('error', reject).end();
  });
}

test('a handshake that fails leaves none behind', async () => {
  for (const where of [path(), `/v1-terminals?shell=true&clusterId=${clusterId}`]) {
    const before = pods.made.length;
    assert.equal(await halfOpen(where), 400);
    await until('nothing to be left', () => pods.pods.size === 0 && shellTokens().length === 0);
    assert.ok(pods.made.length - before <= 1);
  }
});

test('a server that no pod can reach is said in words', async () => {
  await api.settings.set('server-url', '');
  const it = await open();
  await until('it to end', () => it.closed());
  assert.match(it.text(), /no pod can reach this server as https:\/\/localhost.*server-url/);
  await api.settings.set('server-url', 'https://drover.test');
});

test('one too many is told why', async () => {
  for (let i = 0; i < 4; i++) await open();
  await until('all to be there', () => pods.pods.size === 4);
  const it = await open();
  await until('it to end', () => it.closed());
  assert.match(it.closed()!, /you have 4 kubectl shells open/);
  assert.equal(pods.pods.size, 4);
});

test('in the dock it outlives a break, and ends when it is closed', async () => {
  const socket = (query: string) => {
    const one = new WebSocket(`wss://localhost:${api.port}/v1-terminals?${query}`, {
      ca: api.ca,
      headers: { authorization: `Bearer ${api.admin}` },
    });
    opened.push(one);
    const seen = { one, text: '', session: '' };
    one.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) seen.text += data.toString();
      else seen.session ||= JSON.parse(data.toString()).id ?? '';
    });
    return seen;
  };
  const first = socket(`clusterId=${clusterId}&shell=true`);
  await until('its session', () => first.session);
  await until('what it waits for', () => first.text.includes('no node has taken it yet'));
  const name = await run();
  await until('the shell', () => cluster.terminals.size === 1);
  first.one.terminate();
  const second = socket(`clusterId=${clusterId}&shell=true&session=${first.session}&read=0`);
  await until('what was written before', () => second.text.includes('kubectl acts as admin'));
  second.one.send(Buffer.from('on'));
  await until('it to go on', () => second.text.endsWith('ON'));
  assert.ok(pods.pods.has(name));
  second.one.send(JSON.stringify({ close: true }));
  await until('the pod to be gone', () => pods.pods.size === 0);
});

test('whoever loses his rights loses his shell, its token and its pod', async () => {
  const member = await api.makeUser('member');
  const binding = await api.want(201, 'POST', '/v3/clusterroletemplatebindings', {
    body: { clusterId, roleTemplateId: 'cluster-member', userId: member.id },
  });
  const it = await open(path(), { as: member.token });
  await run();
  await until('the shell', () => cluster.terminals.size === 1);
  await api.ask('DELETE', `/v3/clusterroletemplatebindings/${binding.id}`);
  await until('it to end', () => it.closed());
  assert.match(it.closed()!, /no longer a member/);
  await until('nothing to be left', () => pods.pods.size === 0 && shellTokens().length === 0);
});

test('its token taken back, or its cluster removed, ends it', async () => {
  const first = await open();
  await run();
  await until('the shell', () => cluster.terminals.size === 1);
  await api.ask('DELETE', `/v3/tokens/${shellTokens()[0]!.metadata.name}`);
  await until('it to end', () => first.closed());
  assert.match(first.closed()!, /its token was taken back/);
  const { id } = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'going' } });
  const second = await open(path(id));
  await pod();
  await api.ask('DELETE', `/v3/clusters/${id}`);
  await until('it to end', () => second.closed());
  assert.match(second.closed()!, /the cluster is being removed/);
});

test('what a killed server left is removed, and nothing else', async () => {
  const it = await open();
  const alive = await run();
  const marks = marksOf(api.settings.get('install-uuid'));
  const left = (name: string, labels: object) =>
    pods.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'cattle-system',
        labels: labels as Record<string, string>,
        annotations: { 'drover.io/shell-token': 'token-gone' },
      },
    });
  left('dashboard-shell-left', { ...marks, ...shellPart });
  left('dashboard-shell-other', { ...marksOf('another'), ...shellPart });
  await api.resources.modify('cluster', { name: clusterId }, seen => ({
    ...seen,
    status: { ...seen.status, conditions: [{ type: 'Connected', status: 'True' }] },
  }));
  const stop = new AbortController();
  const setting = (name: string) => api.settings.get(name);
  const { resources, caches, log } = api.deps;
  const sweep = clusterShellSweep({ clients: { get: () => cluster.client() }, setting });
  startController(sweep, { resources, caches, log, signal: stop.signal }).poke(clusterId);
  await until('what was left to be gone', () => !pods.pods.has('dashboard-shell-left'));
  stop.abort();
  assert.deepEqual([...pods.pods.keys()].sort(), [alive, 'dashboard-shell-other'].sort());
  pods.pods.delete('dashboard-shell-other');
  it.socket.close();
});

test('what a pod waits for is said in words, and one that no node takes is given up', async () => {
  const base = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'dashboard-shell-x', namespace: 'cattle-system' } };
  const unscheduled = {
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' }],
  };
  assert.deepEqual(
    [
      lookAtPod(undefined),
      lookAtPod({ ...base, status: unscheduled }),
      lookAtPod({ ...base, spec: { nodeName: 'n' }, status: {} }),
      lookAtPod({ ...base, spec: { nodeName: 'n' }, status: running }),
      lookAtPod({ ...base, status: { phase: 'Failed', reason: 'DeadlineExceeded' } }),
    ].map(look => ('words' in look ? look.words : look.is)),
    [
      'its pod was removed',
      'no node has taken it yet: 0/1 nodes',
      'node n is getting it ready',
      'running',
      'its container ended: DeadlineExceeded',
    ],
  );
  pods.put({ ...base, status: unscheduled });
  await using client = cluster.client();
  const said: string[] = [];
  const waiting = waitForShellPod(client, 'dashboard-shell-x', {
    say: words => said.push(words),
    signal: AbortSignal.timeout(10_000),
    placeMs: 100,
  });
  await assert.rejects(waiting, /no node has taken it yet: 0\/1 nodes/);
  assert.deepEqual(said, ['no node has taken it yet: 0/1 nodes']);
  pods.pods.clear();
});

const admin = () => ({
  userId: api.adminId,
  username: 'admin',
  groups: [],
  extra: {},
  tokenId: api.admin.split(':')[0]!,
  via: 'bearer' as const,
});

test('its token lasts for minutes, and is renewed for as long as it is used', async () => {
  const lost: string[] = [];
  const options = { caller: admin(), clusterId, onLost: (why: string) => lost.push(why) };
  const first = await openShellToken(api.deps, { ...options, leaseMs: 600_000 });
  const [token] = shellTokens();
  assert.ok(Date.parse(token!.expiresAt!) - Date.now() <= 600_000);
  await first[Symbol.asyncDispose]();
  const short = await openShellToken(api.deps, { ...options, leaseMs: 300 });
  const endOf = () => Date.parse(shellTokens()[0]!.expiresAt!);
  const begun = endOf();
  await until('it to be renewed twice', () => endOf() >= begun + 200);
  await short[Symbol.asyncDispose]();
  assert.deepEqual([shellTokens(), lost], [[], []]);
});

test('a server that stops leaves nothing', async () => {
  const shells = new ClusterShells(api.deps);
  const ended = Promise.withResolvers<string>();
  const where = { clusterId, base: api.url };
  shells.begin(admin(), where, { output: () => undefined, ended: ended.resolve });
  await pod();
  await shells[Symbol.asyncDispose]();
  assert.match(await ended.promise, /the server is stopping/);
  assert.deepEqual([pods.pods.size, shellTokens().length], [0, 0]);
  assert.throws(() => shells.begin(admin(), where, { output: () => undefined, ended: () => undefined }), /is stopping/);
});
