/**
 * The authorized endpoint of an imported cluster: a real kube-apiserver asks kube-api-auth beside it, and people reach it with this
 * server's tokens and their own rights, also while the server is gone.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isNotFound, type Resource, until } from '@drover/base';
import { clusterAuthTokens, customResourceDefinitions, KubeClient, nodes, roles, secrets } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type Child, startChild } from './child.ts';
import { freePort, missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const run = promisify(execFile);
const skip = missingApiServer() ?? false;
const agentMain = fileURLToPath(new URL('../../packages/agent/src/main.ts', import.meta.url));
const patient = { timeoutMs: 90_000, everyMs: 200 };
const namespace = 'cattle-system';

let dir: string;
let webhookPort: number;
let cluster: TestApiServer;
let server: ServerProcess;
let asker: Child;
let kube: KubeClient;
let admin: string;
let member: { readonly id: string; readonly token: string };
let id: string;

before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'drover-endpoint-'));
  webhookPort = await freePort();
  const webhook = join(dir, 'webhook.yaml');
  await writeFile(webhook, webhookConfig(webhookPort));
  cluster = await startApiServer({
    flags: [
      `--authentication-token-webhook-config-file=${webhook}`,
      '--authentication-token-webhook-cache-ttl=1s',
      '--authentication-token-webhook-version=v1',
    ],
  });
  kube = new KubeClient(cluster.connection);
  await kube.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } });
  server = await startServer(serverOptions());
  admin = await server.login();
  id = await until('the cluster to be active', activeId, patient);
  member = await server.makeUser(admin, 'direct');
  const binding = { clusterId: id, roleTemplateId: 'nodes-view', userId: member.id };
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', binding);
});
after(async () => {
  await asker?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const serverOptions = () => ({
  dataDir: join(dir, 'server'),
  args: ['--cluster', 'context:test'],
  env: { KUBECONFIG: cluster.kubeconfigPath },
});

async function activeId(): Promise<string | undefined> {
  const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
  return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
}

/** As `drover clusters endpoint webhook` prints it, on a port of this test's own. */
const webhookConfig = (port: number) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'Default', cluster: { server: `http://127.0.0.1:${port}/v1/authenticate` } }],
    users: [{ name: 'Default', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'Default', user: 'Default' } }],
    'current-context': 'webhook',
  });

const condition = async () => {
  const { conditions } = await server.ask(admin, 'GET', `/v3/clusters/${id}`);
  return conditions.find((one: { type: string }) => one.type === 'AuthorizedEndpoint');
};

async function kubeconfigOf(token: string): Promise<{ readonly path: string; readonly tokenName: string }> {
  const { config } = await server.ask(token, 'POST', `/v3/clusters/${id}?action=generateKubeconfig`, {}, 200);
  const tokenName = /token: "([^:]+):/.exec(config)![1]!;
  const path = join(dir, tokenName);
  await writeFile(path, config, { mode: 0o600 });
  return { path, tokenName };
}

/** What kubectl prints, or what it complains of, straight at the kube-apiserver. */
const direct = (kubeconfig: string, ...args: string[]): Promise<string> =>
  run(cluster.kubectl, ['--kubeconfig', kubeconfig, '--context', 'test-fqdn', ...args]).then(
    ({ stdout }) => stdout,
    (error: { stderr: string }) => error.stderr,
  );

test('a cluster whose kube-apiserver does not ask says so, and what to do', { skip }, async () => {
  const fqdn = new URL(cluster.connection.server).host;
  const wrong = { localClusterAuthEndpoint: { enabled: true, fqdn: 'https://x/y' } };
  const refused = await server.fetch('PUT', `/v3/clusters/${id}`, { token: admin, body: wrong });
  assert.deepEqual([refused.status, refused.body.fieldName], [422, 'localClusterAuthEndpoint.fqdn']);
  const endpoint = { enabled: true, fqdn, caCerts: cluster.connection.ca };
  await server.ask(admin, 'PUT', `/v3/clusters/${id}`, { localClusterAuthEndpoint: endpoint });
  const told = await until(
    'the cause',
    async () => ((await condition())?.status === 'False' ? condition() : undefined),
    patient,
  );
  assert.match(told.message, /--authentication-token-webhook-config-file/);
  asker = await startChild(
    process.execPath,
    [agentMain, 'kube-api-auth', '--listen', `127.0.0.1:${webhookPort}`, '--kubeconfig', cluster.kubeconfigPath],
    { logPath: join(dir, 'kube-api-auth.log') },
  );
  await until('the endpoint to work', async () => (await condition())?.status === 'True', patient);
});

test('a member is himself there, with his own rights and no more', { skip }, async () => {
  const { path, tokenName } = await kubeconfigOf(member.token);
  await until('his token to be known', async () => /u-/.test(await direct(path, 'auth', 'whoami')), patient);
  const me = JSON.parse(await direct(path, 'auth', 'whoami', '-o', 'json'));
  assert.equal(me.status.userInfo.username, member.id);
  assert.equal(await direct(path, 'get', 'nodes', '-o', 'name'), 'node/one\n');
  assert.match(await direct(path, 'get', 'secrets', '-A'), /forbidden: User "u-[a-z0-9]+" cannot list/);
  const used = () => kube.get<Resource & { lastUsedAt?: string }>(clusterAuthTokens, tokenName, { namespace });
  await until('its use to be noted', async () => Boolean((await used()).lastUsedAt), patient);
});

test('only hashes are there, each readable by its name alone', { skip }, async () => {
  const { path } = await kubeconfigOf(member.token);
  const bearer = /token: "([^"]+)"/.exec(await run('cat', [path]).then(({ stdout }) => stdout))![1]!;
  const [name, key] = bearer.split(':') as [string, string];
  const secret = await until(
    'its hash',
    () => kube.get<Resource & { data: Record<string, string> }>(secrets, name, { namespace }).catch(() => undefined),
    patient,
  );
  const hash = Buffer.from(secret.data['hash']!, 'base64').toString();
  assert.match(hash, /^\$3:1:/);
  assert.ok(!hash.includes(key));
  const copied = (await kube.list<Resource>(clusterAuthTokens, { namespace })).items.map(one => one.metadata.name);
  assert.ok(copied.includes(name));
  for (const elsewhere of [admin, member.token])
    assert.ok(!copied.includes(elsewhere.split(':')[0]!), 'a token that is good for more than this cluster stays here');
  const role = await kube.get<Resource & { rules: { resources: string[]; resourceNames?: string[] }[] }>(
    roles,
    'kube-api-auth',
    { namespace },
  );
  const reads = role.rules.find(rule => rule.resources.includes('secrets'))!;
  assert.ok(reads.resourceNames!.includes(name));
});

test('with the server gone it goes on, and what is taken back afterwards ends', { skip }, async () => {
  const { path, tokenName } = await kubeconfigOf(member.token);
  await until('his token to be known', async () => /u-/.test(await direct(path, 'auth', 'whoami')), patient);
  await server.stop();
  assert.equal(await direct(path, 'get', 'nodes', '-o', 'name'), 'node/one\n');
  server = await startServer(serverOptions());
  admin = await server.login();
  await until('the cluster to be active', activeId, patient);
  const gone = await server.fetch('DELETE', `/v3/tokens/${tokenName}`, { token: member.token });
  assert.ok(gone.status < 300, JSON.stringify(gone.body));
  await until(
    'the token to be over',
    async () => /Unauthorized|logged in/.test(await direct(path, 'get', 'nodes')),
    patient,
  );
});

test('a user who is disabled is refused there', { skip }, async () => {
  const { path } = await kubeconfigOf(member.token);
  await until('his token to be known', async () => /u-/.test(await direct(path, 'auth', 'whoami')), patient);
  await server.ask(admin, 'PUT', `/v3/users/${member.id}`, { enabled: false });
  await until(
    'him to be refused',
    async () => /Unauthorized|logged in/.test(await direct(path, 'get', 'nodes')),
    patient,
  );
});

test('turned off, nothing of it is left', { skip }, async () => {
  await server.ask(admin, 'PUT', `/v3/clusters/${id}`, { localClusterAuthEndpoint: { enabled: false } });
  await until('the condition to be gone', async () => (await condition()) === undefined, patient);
  const crd = 'clusterauthtokens.cluster.cattle.io';
  const isGone = () => kube.get(customResourceDefinitions, crd).then(() => false, isNotFound);
  await until('the kinds to be gone', isGone, patient);
  await assert.rejects(kube.get(roles, 'kube-api-auth', { namespace }), isNotFound);
});
