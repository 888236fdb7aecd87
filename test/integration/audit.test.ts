/**
 * The audit log of a real server: it tells who did what with which token, no secret that passes through is in it at the most
 * talkative level, and a webhook that does not answer holds nobody up.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer } from './kube-apiserver.ts';
import { mountSmallDisk } from './small-disk.ts';

// biome-ignore lint/suspicious/noExplicitAny: the lines are read as their readers do.
type Line = any;

const patient = { timeoutMs: 30_000 };
const canary = (name: string) => `canary-${name}-${'y'.repeat(12)}`;
const keyOf = (token: string) => token.split(':')[1]!;

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-audit-'));
});
after(() => rm(dir, { recursive: true, force: true }));

function parseLines(log: string): Line[] {
  return log
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
}

async function subscribe(server: ServerProcess, token: string): Promise<WebSocket> {
  const url = `${server.url.replace('https', 'wss')}/v3/subscribe?eventNames=resource.change`;
  const socket = new WebSocket(url, { ca: server.ca, headers: { authorization: `Bearer ${token}` } });
  await once(socket, 'open');
  return socket;
}

test('who did what is there, with sign-ins, refusals and upgrades, and no secret is', async () => {
  const path = join(dir, 'audit', 'audit.log');
  await using server = await startServer({
    args: ['--cluster', 'none', '--audit-log', path, '--audit-level', '3', '--trusted-proxies', '127.0.0.0/8'],
  });
  const secrets = [adminPassword];
  const keep = (secret: string): string => {
    secrets.push(secret);
    return secret;
  };
  const admin = await server.login();
  keep(keyOf(admin));
  const signIn = (password: string) =>
    server.fetch('POST', '/v3-public/localProviders/local?action=login', { body: { username: 'carl', password } });
  await server.ask(admin, 'POST', '/v3/users', { username: 'carl', password: keep(canary('first')) });
  assert.equal((await signIn(keep(canary('wrong')))).status, 401);
  const carl = await server.login('carl', canary('first'));
  keep(keyOf(carl));
  await server.fetch('POST', '/v3/users?action=changepassword', {
    token: carl,
    body: { currentPassword: canary('first'), newPassword: keep(canary('second')) },
  });
  const derived = await server.ask(admin, 'POST', '/v3/tokens', { type: 'token', description: 'for a script' });
  keep(keyOf(derived.token));
  await server.fetch('GET', '/v3/users', {
    headers: { authorization: `Bearer token-abcde:${keep(canary('bearer'))}` },
  });
  await server.fetch('GET', '/v3/users', { headers: { cookie: `R_SESS=token-abcde:${keep(canary('cookie'))}` } });
  await server.fetch('GET', `/v3/users?token=${keep(canary('query'))}`, { token: admin });
  const cluster = await server.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name: 'audited' });
  const registration = await until(
    'the registration token',
    async () => {
      const tokens = await server.ask(admin, 'GET', `/v3/clusters/${cluster.id}/clusterregistrationtokens`);
      return tokens.data[0]?.token as string | undefined;
    },
    patient,
  );
  keep(registration);
  for (const spelled of ['/v3/import/', '/v3//import/', '/v3/%69mport/'])
    await server.fetch('GET', `${spelled}${registration}_${cluster.id}.yaml`, {
      headers: { referer: `${server.url}/v3/import/${registration}_${cluster.id}.yaml` },
    });
  await server
    .ask(admin, 'POST', `/v3/clusters/${cluster.id}?action=generateKubeconfig`, {}, 200)
    .then(({ config }) => keep(/token: "?[\w.-]+:(\w+)/.exec(config)![1]!));
  await server.fetch('GET', '/v3/settings', {
    token: admin,
    headers: { 'x-forwarded-for': '203.0.113.7, 127.0.0.1', 'impersonate-user': 'somebody' },
  });
  await server.fetch('GET', '/v3/nothing-here', { token: carl });
  const socket = await subscribe(server, admin);
  socket.close();
  await once(socket, 'close');
  await server.stop();

  const log = await readFile(path, 'utf8');
  for (const secret of secrets)
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)])
      assert.ok(!log.includes(form), `${secret} in ${log.split('\n').find(line => line.includes(form))}`);
  assert.ok(secrets.length >= 11);

  const lines = parseLines(log);
  const find = (what: string, is: (line: Line) => boolean): Line => {
    const line = lines.find(is);
    assert.ok(line, `${what} in\n${log}`);
    return line;
  };
  const login = (code: number) => (line: Line) =>
    line.requestURI.includes('action=login') && line.userLoginName === 'carl' && line.responseCode === code;
  assert.equal(find('the refused sign-in', login(401)).user.name, 'system:unauthenticated');
  const signedIn = find('the sign-in', login(201));
  assert.match(signedIn.user.name, /^u(ser)?-/);
  assert.equal(signedIn.tokenName, carl.split(':')[0]);
  const made = find('the user', line => line.requestURI === '/v3/users' && line.method === 'POST');
  assert.deepEqual([made.userLoginName, made.tokenName, made.responseCode], ['admin', admin.split(':')[0], 201]);
  assert.deepEqual([made.requestBody.username, made.requestBody.password], ['carl', '[redacted]']);
  assert.equal(made.responseBody.username, 'carl');
  const proxied = find('the client behind the proxy', line => line.requestURI === '/v3/settings');
  assert.deepEqual([proxied.remoteAddr, proxied.user.requestUser], ['203.0.113.7', 'somebody']);
  assert.equal(find('the manifest', line => line.requestURI.includes('***_')).cluster, cluster.id);
  assert.equal(find('what is not there', line => line.requestURI === '/v3/nothing-here').responseCode, 404);
  const upgrades = lines.filter(line => line.upgrade === 'websocket');
  assert.deepEqual(
    upgrades.map(line => [line.stage, line.responseCode, line.userLoginName]),
    [
      ['ResponseStarted', 101, 'admin'],
      ['ResponseComplete', 101, 'admin'],
    ],
  );
});

test('a webhook that takes nothing holds nobody up, and gets all of it once it does', async () => {
  const held: ServerResponse[] = [];
  const taken: Line[] = [];
  let open = false;
  const receiver = createServer(async (request, response) => {
    const body = await text(request).catch(() => '');
    if (!open) {
      held.push(response);
      return;
    }
    taken.push(...parseLines(body));
    response.writeHead(204).end();
  });
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve));
  try {
    await using server = await startServer({
      args: ['--cluster', 'none', '--audit-webhook', `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/in`],
    });
    const admin = await server.login();
    await until('the webhook to be asked', () => held.length > 0, patient);
    // Each is answered although nothing has been taken yet, and nothing will be before all of them are.
    for (let i = 0; i < 100; i++) await server.ask(admin, 'GET', `/v3/users?n=${i}`);
    assert.equal(taken.length, 0);
    const metrics = await server.ask(admin, 'GET', '/metrics');
    assert.match(metrics, /drover_audit_waiting_records\{sink="webhook"\} [1-9]/);
    assert.match(metrics, /drover_audit_dropped_records\{sink="webhook"\} 0/);
    open = true;
    for (const response of held) response.writeHead(503).end();
    const count = () => new Set(taken.map(line => line.requestURI).filter(uri => /\?n=\d+$/.test(uri))).size;
    await until('all of them', () => count() === 100, patient);
  } finally {
    receiver.closeAllConnections();
    await new Promise(resolve => receiver.close(resolve));
  }
});

test('what is asked of a cluster is there, with its watches and its agent’s tunnel, and no Secret’s content', {
  skip: missingApiServer() ?? false,
}, async () => {
  await using cluster = await startApiServer();
  const path = join(dir, 'cluster', 'audit.log');
  const lines = async () => parseLines(await readFile(path, 'utf8'));
  await using server = await startServer({
    args: ['--cluster', 'context:test', '--audit-log', path, '--audit-level', '3'],
    env: { KUBECONFIG: cluster.kubeconfigPath },
  });
  const admin = await server.login();
  const id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 60_000 },
  );
  const api = `/k8s/clusters/${id}/api/v1/namespaces/default`;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { key: canary('content') } };
  await until(
    'the admin’s rights in the cluster',
    async () => (await server.fetch('GET', `${api}/pods`, { token: admin })).status === 200,
    patient,
  );
  await server.ask(admin, 'POST', `${api}/secrets`, secret);
  await server.ask(admin, 'GET', `/k8s/clusters/${id}/api/v1/secrets`);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'API_TOKEN', value: canary('environment') }] }] },
  };
  await server.fetch('POST', `${api}/pods?dryRun=All`, { token: admin, body: pod });
  const begun = await watchOnce(server, admin, `${api}/configmaps?watch=true`);
  const both = await until(
    'the watch to be told twice',
    async () => {
      const found = (await lines()).filter(line => line.requestURI === begun);
      return found.length === 2 ? found : undefined;
    },
    patient,
  );
  assert.deepEqual(
    both.map(line => [line.stage, line.responseCode, line.userLoginName]),
    [
      ['ResponseStarted', 200, 'admin'],
      ['ResponseComplete', 200, 'admin'],
    ],
  );
  const log = await readFile(path, 'utf8');
  for (const name of ['content', 'environment'])
    for (const form of [canary(name), Buffer.from(canary(name)).toString('base64').replace(/=+$/, '')])
      assert.ok(!log.includes(form), `${name} in ${log.split('\n').find(line => line.includes(form))}`);
  const seen = parseLines(log);
  const tunnel = seen.find(line => line.cluster === id && line.responseCode === 101);
  assert.deepEqual([tunnel?.stage, tunnel?.user.name], ['ResponseStarted', 'system:unauthenticated']);
  const made = seen.find(line => line.requestURI === `${api}/secrets`);
  assert.deepEqual([made?.responseCode, made?.requestBody, made?.responseBody], [201, '[redacted]', '[redacted]']);
  const tried = seen.find(line => line.requestURI.includes('dryRun'));
  assert.equal(tried?.requestBody.spec.containers[0].env[0].value, '[redacted]');
});

test('on a full disk everybody is answered, and once there is room each line is there, whole and once', async t => {
  using disk = await mountSmallDisk(t, '1m');
  if (!disk) return;
  const path = join(disk.dir, 'audit.log');
  const filler = join(disk.dir, 'filler');
  await using server = await startServer({ args: ['--cluster', 'none', '--audit-log', path] });
  const admin = await server.login();
  await until('the first line', async () => (await readFile(path, 'utf8')).includes('\n'), patient);
  await writeFile(filler, '');
  for (const size of [64 << 10, 4096, 64]) {
    await until('the disk to be full', () =>
      appendFile(filler, Buffer.alloc(size)).then(
        () => false,
        error => error.code === 'ENOSPC',
      ),
    );
  }
  for (let i = 0; i < 200; i++) await server.ask(admin, 'GET', `/v3/users?n=${i}`);
  await until('it to be told', () => server.output.includes('audit records can not be delivered'), patient);
  await rm(filler);
  const told = async () =>
    parseLines(await readFile(path, 'utf8'))
      .map(line => line.requestURI as string)
      .filter(uri => /\?n=\d+$/.test(uri));
  const all = await until('all of them', async () => ((await told()).length >= 200 ? told() : undefined), patient);
  assert.deepEqual(
    all,
    Array.from({ length: 200 }, (_, i) => `/v3/users?n=${i}`),
  );
});

/** Watches until the answer has begun, and goes; gives the path. */
async function watchOnce(server: ServerProcess, token: string, path: string): Promise<string> {
  const asked = request(new URL(path, server.url), {
    ca: server.ca,
    headers: { authorization: `Bearer ${token}` },
  }).end();
  asked.on('error', () => undefined);
  await once(asked, 'response');
  asked.destroy();
  return path;
}
