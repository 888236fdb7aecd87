/**
 * The management types laid over the cluster that the server runs itself: one discovery, one OpenAPI, one kubeconfig for
 * both, and each of them with the rights that hold there.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { type ServerProcess, startServer } from '../server-process.ts';
import { findKubeBinaries, missingKubeBinaries } from './kube-binaries.ts';

const binaries = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
const skip = missingKubeBinaries(...binaries) ?? false;
const patient = { timeoutMs: 180_000, everyMs: 200 };

let dir: string;
let server: ServerProcess;
let admin: string;
let user: { readonly id: string; readonly token: string };

before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'drover-kubeapi-local-'));
  server = await startUp();
  admin = await server.login();
  user = await server.makeUser(admin, 'passer');
  await localActive();
  const config = (await server.ask(admin, 'POST', '/v3/clusters/local?action=generateKubeconfig', {}, 200)).config;
  await writeFile(join(dir, 'config'), config, { mode: 0o600 });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const startUp = (port = 0) => {
  const args = ['--cluster', 'control-plane', '--kube-bin-dir', findKubeBinaries(...binaries)!];
  return startServer({ dataDir: join(dir, 'data'), port, args });
};

const localActive = () =>
  until(
    'the local cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?id=local');
      return data[0]?.state === 'active' || undefined;
    },
    patient,
  );

function kubectl(...args: string[]): Promise<string> {
  const all = ['--kubeconfig', join(dir, 'config'), '--cache-dir', join(dir, 'cache'), ...args];
  return new Promise((resolve, reject) => {
    execFile(
      join(findKubeBinaries(...binaries)!, 'kubectl'),
      all,
      { timeout: 60_000, maxBuffer: 64 << 20 },
      (error, out, err) => (error ? reject(new Error(err)) : resolve(out)),
    );
  });
}

test('the kubeconfig of the local cluster finds what is in it and what the server manages, in one discovery', {
  skip,
}, async () => {
  const all = await kubectl('api-resources', '-o', 'name');
  for (const one of ['pods', 'deployments.apps', 'clusters.management.cattle.io', 'nodes.management.cattle.io'])
    assert.ok(all.split('\n').includes(one), one);
  assert.match(await kubectl('get', 'clusters.management.cattle.io'), /\nlocal +local +True/);
  assert.match(await kubectl('get', 'namespaces'), /kube-system/);
  assert.match(await kubectl('explain', 'pod.spec'), /GROUP|VERSION: +v1/);
  assert.match(await kubectl('explain', 'cluster.spec'), /GROUP: +management\.cattle\.io/);
  const index = JSON.parse(await kubectl('get', '--raw', '/openapi/v3'));
  assert.ok(index.paths['api/v1'] && index.paths['apis/management.cattle.io/v3']);
  const whole = JSON.parse(await kubectl('get', '--raw', '/openapi/v2'));
  assert.ok(whole.definitions['io.k8s.api.core.v1.Pod'] && whole.definitions['io.cattle.management.v3.Cluster']);
  const groups = JSON.parse(await kubectl('get', '--raw', '/apis')).groups.map((one: { name: string }) => one.name);
  assert.equal(groups.filter((name: string) => name === 'management.cattle.io').length, 1);
  assert.ok(groups.includes('apps'));
});

test('who may what is told by the cluster for what is in it, by the server for its own', { skip }, async () => {
  assert.match(await kubectl('auth', 'can-i', 'create', 'deployments.apps'), /^yes/);
  assert.match(await kubectl('auth', 'can-i', 'list', 'clusters.management.cattle.io'), /^yes/);
});

test('who is no member of the local cluster gets nothing of it, and of the server only what is his', {
  skip,
}, async () => {
  const ask = (path: string) => server.fetch('GET', `/k8s/clusters/local${path}`, { token: user.token });
  assert.equal((await ask('/api/v1/namespaces')).status, 403);
  assert.equal((await ask('/api')).status, 403);
  const groups = (await ask('/apis')).body.groups.map((one: { name: string }) => one.name);
  assert.deepEqual(groups, ['management.cattle.io']);
  assert.deepEqual((await ask('/apis/management.cattle.io/v3/clusters')).body.items, []);
  const users = (await ask('/apis/management.cattle.io/v3/users')).body.items;
  assert.deepEqual(
    users.map((one: { metadata: { name: string } }) => one.metadata.name),
    [user.id],
  );
});

test('a workspace has its namespace in the local cluster, and takes along only one that was made for it', {
  skip,
}, async () => {
  const names = async () => (await kubectl('get', 'namespaces', '-o', 'name')).split('\n');
  const there = (name: string) => async () => (await names()).includes(`namespace/${name}`) || undefined;
  const gone = (name: string) => async () => !(await names()).includes(`namespace/${name}`) || undefined;
  for (const name of ['fleet-default', 'fleet-local']) await until(`namespace ${name}`, there(name), patient);
  await kubectl('create', 'namespace', 'somebodys');
  for (const name of ['north', 'somebodys']) {
    await server.ask(admin, 'POST', '/v3/fleetworkspaces', { name }, 201);
    await until(`namespace ${name}`, there(name), patient);
  }
  for (const name of ['somebodys', 'north']) {
    const { links } = await server.ask(admin, 'GET', `/v3/fleetworkspaces/${name}`);
    await server.ask(admin, 'DELETE', new URL(links.remove).pathname);
  }
  await until('the namespace to go', gone('north'), patient);
  await until(
    'the workspaces to be gone',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/fleetworkspaces');
      return data.length === 2 || undefined;
    },
    patient,
  );
  assert.ok((await names()).includes('namespace/somebodys'));
});

test('after Ctrl-C and a new start the local cluster holds what it held, and tokens and kubeconfigs are good', {
  skip,
}, async () => {
  await kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
  await server.stop('SIGINT');
  assert.equal(server.child.exitCode, 0);
  server = await startUp(Number(new URL(server.url).port));
  await localActive();
  assert.equal(await kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'), 'b');
});
