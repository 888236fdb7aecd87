/**
 * Several servers on one real etcd: a cluster is reached through any of them, what is written on one holds on the others,
 * and when one dies its work is taken over.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { clusterRoleBindings, KubeClient } from '@drover/kube';
import { openEtcdStore, type Store } from '@drover/store';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type Child, startChild } from './child.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';
import { Etcd, etcdBinaries } from './store/etcd.ts';

const run = promisify(execFile);
const binary = etcdBinaries()[0];
const skip = binary ? missingApiServer() : 'there is no etcd on this machine';
/** What is written on one replica holds on the others within this. */
const heldMs = 1000;

describe('servers on one etcd', { skip, timeout: 120_000 }, () => {
  let dir: string;
  let etcd: Etcd;
  let store: Store;
  let api: TestApiServer;
  let one: ServerProcess;
  let two: ServerProcess;
  let agent: Child;
  let admin: string;
  let clusterId: string;

  const start = (dataDir?: string) =>
    startServer({
      ...(dataDir ? { dataDir } : {}),
      args: [
        ...['--cluster', 'none', '--store', etcd.endpoint.replace('http', 'etcd')],
        ...['--secrets-key-file', join(dir, 'secrets.key')],
      ],
    });
  const owner = async () => (await store.get(`/owners/clusters/${clusterId}`))?.value;
  const proxied = (server: ServerProcess, token: string, path = '/version') =>
    server.fetch('GET', `/k8s/clusters/${clusterId}${path}`, { token });
  const becomes = (what: string, status: number, ask: () => Promise<{ readonly status: number }>) =>
    until(what, async () => (await ask()).status === status, { timeoutMs: heldMs, everyMs: 10 });

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drover-replicas-'));
    etcd = await Etcd.start(binary!.path);
    store = await openEtcdStore({ endpoints: [etcd.endpoint] });
    [one, api] = await Promise.all([start(join(dir, 'one')), startApiServer()]);
    admin = await one.login();
    clusterId = (await one.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name: 'shared' })).id;
    // Owned before there is another one: the replica that dies below is the one that does the cluster's work.
    await until('the cluster to be owned', owner);
    two = await start();
  });

  after(async () => {
    await agent?.[Symbol.asyncDispose]();
    await two?.[Symbol.asyncDispose]();
    await one?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
    await etcd?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  test('both serve by one authority, so that an agent may dial either', () => {
    assert.match(one.ca, /BEGIN CERTIFICATE/);
    assert.equal(one.ca, two.ca);
  });

  test('a cluster whose agent dialled one is reached through the other', async () => {
    const manifestUrl = await until('the manifest', async () => {
      const tokens = await two.ask(admin, 'GET', `/v3/clusters/${clusterId}/clusterregistrationtokens`);
      return tokens.data[0]?.manifestUrl as string | undefined;
    });
    const file = join(dir, 'import.yaml');
    await writeFile(file, (await two.fetch('GET', new URL(manifestUrl).pathname)).body as string);
    await run(api.kubectl, ['--kubeconfig', api.kubeconfigPath, 'apply', '-f', file]);
    const token = /\/import\/([^_/]+)_/.exec(manifestUrl)![1]!;
    agent = await startChild(
      process.execPath,
      [
        join(import.meta.dirname, '../../packages/agent/src/main.ts'),
        ...['--server', two.url, '--ca-file', join(two.dataDir, 'tls', 'ca.crt')],
        ...['--kubeconfig', api.kubeconfigPath],
      ],
      { logPath: join(dir, 'agent.log'), env: { ...process.env, DROVER_TOKEN: token } },
    );
    const reached = async () => (await proxied(one, admin)).body.gitVersion as string | undefined;
    const version = await until('an answer through the other replica', reached, { timeoutMs: 20_000 }).catch(
      async error => {
        throw new Error(`${error.message}\n${await agent.tail()}\n${one.output.slice(-2000)}`);
      },
    );
    assert.match(version, /^v1\./);
    // Its controllers run on the replica that the agent did not dial.
    const state = async () => (await two.ask(admin, 'GET', `/v3/clusters/${clusterId}`)).state;
    await until('the cluster to be active', async () => (await state()) === 'active', { timeoutMs: 20_000 });
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made-through-one' } };
    const path = `/k8s/clusters/${clusterId}/api/v1/namespaces`;
    // The cluster's own RBAC follows the server's in a moment.
    const made = async () => (await one.fetch('POST', path, { token: admin, body })).status === 201;
    await until('the admin to be one in the cluster too', made);
    assert.equal((await proxied(two, admin, '/api/v1/namespaces/made-through-one')).status, 200);
  });

  test('a token, a binding and their removal on one hold on the other within a second', async () => {
    const user = await one.ask(admin, 'POST', '/v3/users', {
      type: 'user',
      username: 'mia',
      password: 'mia-password-1234',
      name: 'mia',
    });
    const role = { type: 'globalRoleBinding', userId: user.id, globalRoleId: 'user' };
    await one.ask(admin, 'POST', '/v3/globalrolebindings', role);
    const token = await until('mia to sign in', () => one.login('mia', 'mia-password-1234'), { timeoutMs: heldMs });
    await becomes('her token to be good there', 200, () => two.fetch('GET', '/v3/tokens', { token }));
    assert.equal((await proxied(two, token)).status, 403);
    const binding = await one.ask(admin, 'POST', '/v3/clusterroletemplatebindings', {
      type: 'clusterRoleTemplateBinding',
      clusterId,
      userId: user.id,
      roleTemplateId: 'cluster-owner',
    });
    await becomes('her to be a member there', 200, () => proxied(two, token));
    await one.ask(admin, 'DELETE', `/v3/clusterroletemplatebindings/${binding.id}`, undefined, 204);
    await becomes('her to be no member there', 403, () => proxied(two, token));
    await one.ask(token, 'POST', '/v3/tokens?action=logout', {}, 200);
    await becomes('her token to be no good there', 401, () => two.fetch('GET', '/v3/tokens', { token }));
  });

  test('when the one that does a cluster’s work is killed, the other takes over within the lease', async () => {
    const before = await owner();
    const killed = performance.now();
    await one.stop('SIGKILL');
    const taken = async () => {
      const now = await owner();
      return now !== undefined && now !== before;
    };
    await until('the other to own the cluster', taken, { timeoutMs: 15_000, everyMs: 50 });
    const tookMs = performance.now() - killed;
    assert.ok(tookMs < 13_000, `took ${tookMs} ms`);
    assert.equal((await proxied(two, admin)).status, 200);
    const user = await two.ask(admin, 'POST', '/v3/users', {
      type: 'user',
      username: 'sam',
      password: 'sam-password-1234',
      name: 'sam',
    });
    await two.ask(admin, 'POST', '/v3/clusterroletemplatebindings', {
      type: 'clusterRoleTemplateBinding',
      clusterId,
      userId: user.id,
      roleTemplateId: 'cluster-owner',
    });
    await using direct = new KubeClient(api.connection);
    const bound = async () => {
      const { items } = await direct.list(clusterRoleBindings);
      return JSON.stringify(items).includes(user.id);
    };
    await until('the new member to be in the cluster', bound, { timeoutMs: 10_000 });
  });

  test('one that comes back reaches the cluster again', async () => {
    one = await start(join(dir, 'one'));
    const status = async () => (await proxied(one, admin)).status === 200;
    await until('an answer through it', status, { timeoutMs: 10_000 });
  });
});
