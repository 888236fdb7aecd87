/** KubeClient against a real kube-apiserver: verbs, refusals, discovery, server-side apply, impersonation, watch. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { hasReason, isAlreadyExists, isConflict, isNotFound, type Resource, until } from '@drover/base';
import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  formatKubeconfig,
  KubeClient,
  loadKubeconfig,
  mergeIntoKubeconfig,
  namespaces,
  pods,
  toConnection,
} from '@drover/kube';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';
import { missingKubeBinaries } from './kube-binaries.ts';

const skip = missingApiServer();
type ConfigMap = Resource & { readonly data?: Record<string, string> };
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const inDefault = { namespace: 'default' };

let server: TestApiServer;
let client: KubeClient;
before(async () => {
  if (skip) return;
  server = await startApiServer();
  client = new KubeClient(server.connection);
});
after(async () => {
  await client?.[Symbol.asyncDispose]();
  await server?.stop();
});

test('objects are created, read, listed, updated, patched in four ways and deleted', { skip }, async () => {
  const made = await client.create(configMaps, configMap('one', { a: '1' }));
  assert.ok(made.metadata.uid && made.metadata.resourceVersion);
  await assert.rejects(client.create(configMaps, configMap('one')), isAlreadyExists);
  const updated = await client.update(configMaps, { ...made, data: { a: '2' } });
  await assert.rejects(client.update(configMaps, { ...made, data: { a: '3' } }), isConflict);
  await client.patch(configMaps, 'one', { data: { b: '1' } }, { type: 'merge', ...inDefault });
  await client.patch(configMaps, 'one', { data: { c: '1' } }, { type: 'strategic', ...inDefault });
  const json = [{ op: 'add', path: '/data/d', value: '1' }];
  const patched = await client.patch<ConfigMap>(configMaps, 'one', json, { type: 'json', ...inDefault });
  assert.deepEqual(patched.data, { a: '2', b: '1', c: '1', d: '1' });
  assert.notEqual(updated.metadata.resourceVersion, patched.metadata.resourceVersion);
  const listed = await client.list<ConfigMap>(configMaps, { ...inDefault, fieldSelector: 'metadata.name=one' });
  assert.deepEqual(
    listed.items.map(({ kind, data }) => [kind, data?.['d']]),
    [['ConfigMap', '1']],
  );
  const uid = 'other';
  await assert.rejects(client.delete(configMaps, 'one', { ...inDefault, preconditions: { uid } }), isConflict);
  await client.delete(configMaps, 'one', inDefault);
  await assert.rejects(client.get(configMaps, 'one', inDefault), isNotFound);
});

test('server-side apply owns its fields and refuses to take others unless forced', { skip }, async () => {
  await client.apply(configMap('applied', { a: '1' }), { fieldManager: 'first' });
  const other = configMap('applied', { a: '2' });
  await assert.rejects(client.apply(other, { fieldManager: 'second' }), isConflict);
  const taken = await client.apply(other, { fieldManager: 'second', force: true });
  assert.deepEqual(taken.data, { a: '2' });
  const dry = await client.apply(configMap('never'), { fieldManager: 'first', dryRun: true });
  assert.equal(dry.metadata.name, 'never');
  await assert.rejects(client.get(configMaps, 'never', inDefault), isNotFound);
  await assert.rejects(
    client.apply({ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' } }, { fieldManager: 'first' }),
    /kind Thing of "example.com\/v1" not found/,
  );
});

test('lists are followed page by page at one revision', { skip }, async () => {
  for (let n = 0; n < 7; n++) {
    await client.create(configMaps, {
      ...configMap(`page-${n}`),
      metadata: { ...configMap(`page-${n}`).metadata, labels: { paged: 'yes' } },
    });
  }
  const first = await client.list(configMaps, { ...inDefault, labelSelector: 'paged=yes', limit: 3 });
  assert.deepEqual([first.items.length, typeof first.continue], [3, 'string']);
  const all = await Array.fromAsync(client.listAll(configMaps, { ...inDefault, labelSelector: 'paged=yes', limit: 3 }));
  assert.deepEqual(
    all.map(one => one.metadata.name),
    [0, 1, 2, 3, 4, 5, 6].map(n => `page-${n}`),
  );
});

test('discovery finds kinds, and those of a custom resource once it is there', { skip }, async () => {
  assert.deepEqual((await client.find('Deployment', 'apps/v1')).resource, 'deployments');
  const resources = await client.discovery().resources();
  assert.ok(resources.some(({ kind, shortNames }) => kind === 'Pod' && shortNames?.includes('po')));
  assert.ok(resources.every(({ resource }) => !resource.includes('/')));
  assert.match((await client.version()).gitVersion, /^v1\./);
  await client.ready();
});

test('a user has no more than RBAC gives, alone and impersonated', { skip }, async () => {
  await using user = new KubeClient(await server.makeUserConnection('ann', ['dev']));
  await assert.rejects(
    user.list(pods, inDefault),
    error => hasReason(error, 'Forbidden') && /"ann"/.test(error.message),
  );
  const rules = [{ apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['list'] }];
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'look' }, rules };
  await client.create(clusterRoles, role);
  await client.create(clusterRoleBindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'dev-look' },
    ...{
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'dev' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'look' },
    },
  });
  // The authorizer reads bindings from an informer of its own.
  await until('the binding to count', () => user.list(pods, inDefault));
  await using asDev = client.impersonating({ user: 'bob', groups: ['dev'] });
  await asDev.list(pods, inDefault);
  await assert.rejects(
    asDev.list(namespaces, {}).then(() => asDev.create(configMaps, configMap('x'))),
    error => {
      return hasReason(error, 'Forbidden') && /"bob"/.test(error.message);
    },
  );
  await using asNobody = user.impersonating({ user: 'bob' });
  await assert.rejects(asNobody.list(pods, inDefault), error => hasReason(error, 'Forbidden'));
});

test('a watch gives events from a revision on, bookmarks, and Expired for a compacted one', { skip }, async () => {
  const { resourceVersion } = await client.list(configMaps, inDefault);
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = async () => {
    for await (const { type, object } of client.watch(configMaps, {
      ...inDefault,
      resourceVersion,
      signal: stop.signal,
    })) {
      seen.push(`${type} ${object.metadata.name}`);
      if (type === 'DELETED') stop.abort(new Error('seen all'));
    }
  };
  const watched = assert.rejects(watching(), /seen all/);
  await client.create(configMaps, configMap('watched'));
  await client.patch(configMaps, 'watched', { data: { a: '1' } }, { type: 'merge', ...inDefault });
  await client.delete(configMaps, 'watched', inDefault);
  await watched;
  assert.deepEqual(seen, ['ADDED watched', 'MODIFIED watched', 'DELETED watched']);
  await server.stopServer();
  await server.compact();
  await server.startServer();
  const expired = Array.fromAsync(client.watch(configMaps, { ...inDefault, resourceVersion, timeoutSeconds: 5 }));
  await assert.rejects(expired, error => hasReason(error, 'Expired'));
});

test('a server whose certificate is not signed by the given authority is refused, and told why', { skip }, async () => {
  await using stranger = new KubeClient({ server: server.connection.server });
  await assert.rejects(stranger.version(), error => {
    assert.ok(hasReason(error, 'ServiceUnavailable'));
    assert.match(error.message, /its certificate is (not signed by|signed by an authority)/);
    return true;
  });
  await using otherName = new KubeClient({ ...server.connection, serverName: 'elsewhere.example' });
  await assert.rejects(otherName.version(), /its certificate is made out to another name/);
  await using byName = new KubeClient({ ...server.connection, serverName: 'kubernetes.default.svc' });
  await byName.version();
});

test('a kubeconfig that we wrote serves kubectl, and one that kubectl wrote serves us', {
  skip: skip ?? missingKubeBinaries('kubectl'),
}, async () => {
  const { server: url, ca, clientCert, clientKey } = server.connection;
  const path = join(server.dir, 'merged');
  const kubectl = async (...args: string[]) =>
    (await promisify(execFile)(server.kubectl, ['--kubeconfig', path, ...args])).stdout;
  for (const name of ['one', 'two']) {
    await mergeIntoKubeconfig(await formatKubeconfig({ name, server: url, ca, clientCert, clientKey }), { path });
  }
  assert.equal((await kubectl('config', 'get-contexts', '-o', 'name')).trim(), 'one\ntwo');
  assert.match(await kubectl('get', 'namespaces', '-o', 'name'), /namespace\/default/);
  await kubectl('config', 'set-credentials', 'three', '--username=nobody', '--password=wrong');
  await kubectl('config', 'set-context', 'three', '--cluster=one', '--user=three');
  const config = await loadKubeconfig({ path });
  await using good = new KubeClient(await toConnection(config, { context: 'two' }));
  await good.list(namespaces);
  await using bad = new KubeClient(await toConnection(config, { context: 'three' }));
  await assert.rejects(bad.list(namespaces), error => hasReason(error, 'Forbidden', 'Unauthorized'));
});
