/**
 * Quotas of projects in a real cluster: a share for each namespace, enforced by kube-apiserver with its quota controller, put
 * right when somebody edits it, refused over the limit, and gone with the project's.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasReason, type Resource, until } from '@drover/base';
import { KubeClient, limitRanges, namespaces, pods, resourceQuotas } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type Child, startChild } from './child.ts';
import { freePort, startApiServer, type TestApiServer } from './kube-apiserver.ts';
import { findKubeBinaries, missingKubeBinaries } from './kube-binaries.ts';

const binaries = ['etcd', 'kube-apiserver', 'kube-controller-manager'];
const skip = missingKubeBinaries(...binaries) ?? false;
let cluster: TestApiServer;
let controllers: Child;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let id: string;
let path: string;

const project = async (name: string, more: object = {}) =>
  (await server.ask(admin, 'POST', '/v3/projects', { name, clusterId: id, ...more })).id as string;

const quota = (limit: object, each: object) => ({
  resourceQuota: { limit },
  namespaceDefaultResourceQuota: { limit: each },
});

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
  const flags = ['--controllers=resourcequota', '--leader-elect=false', `--secure-port=${await freePort()}`];
  controllers = await startChild(
    join(findKubeBinaries(...binaries)!, 'kube-controller-manager'),
    [`--kubeconfig=${cluster.kubeconfigPath}`, `--cert-dir=${cluster.dir}`, '--bind-address=127.0.0.1', ...flags],
    { logPath: join(cluster.dir, 'kube-controller-manager.log') },
  );
  server = await startServer({ args: ['--cluster', 'context:test'], env: { KUBECONFIG: cluster.kubeconfigPath } });
  admin = await server.login();
  id = await until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
      return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
    },
    { timeoutMs: 60_000 },
  );
  path = `/v3/cluster/${id}/namespaces`;
  await until('rights in the cluster', async () => {
    const { status } = await server.fetch('POST', path, { token: admin, body: { name: 'free' } });
    return status === 201;
  });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await controllers?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface Quota extends Resource {
  readonly spec: { readonly hard: Readonly<Record<string, string>> };
  readonly status?: { readonly hard?: object; readonly used?: Readonly<Record<string, string>> };
}

const ours = { labelSelector: 'resourcequota.management.cattle.io/default-resource-quota=true' };
const quotaIn = async (namespace: string): Promise<Quota | undefined> =>
  (await kube.list<Quota>(resourceQuotas, { namespace, ...ours })).items[0];
const hardIn = async (namespace: string) => (await quotaIn(namespace))?.spec.hard;
const usedOf = async (projectId: string) =>
  (await server.ask(admin, 'GET', `/v3/projects/${projectId}`)).resourceQuota?.usedLimit as object | undefined;
const annotationsOf = async (name: string) => (await kube.get(namespaces, name)).metadata.annotations ?? {};
const patch = (name: string, annotations: Readonly<Record<string, string | null>>) =>
  kube.patch(namespaces, name, { metadata: { annotations } }, { type: 'merge' });
const slow = { timeoutMs: 60_000 };
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const conditions = async (name: string) => {
  const { Conditions } = JSON.parse((await annotationsOf(name))['cattle.io/status'] ?? '{"Conditions":[]}');
  return new Map((Conditions as { Type: string; Status: string; Message: string }[]).map(one => [one.Type, one]));
};

function pod(name: string): Resource {
  const containers = [{ name: 'main', image: 'none.invalid/none' }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers } } as Resource;
}

test('each namespace gets its share, which the cluster enforces and fills in', { skip, timeout: 180_000 }, async () => {
  const limits = { containerDefaultResourceLimit: { limitsCpu: '200m', requestsCpu: '100m' } };
  const shop = await project('shop', {
    ...quota({ pods: '3', limitsCpu: '2' }, { pods: '1', limitsCpu: '500m' }),
    ...limits,
  });
  await server.ask(admin, 'POST', path, { name: 'shop-a', projectId: shop });
  const two = { name: 'shop-b', projectId: shop, resourceQuota: { limit: { pods: '2' } } };
  await server.ask(admin, 'POST', path, two);
  await until('both quotas', async () => (await hardIn('shop-a')) && (await hardIn('shop-b')), slow);
  assert.deepEqual(await hardIn('shop-a'), { pods: '1', 'limits.cpu': '500m' });
  assert.deepEqual(await hardIn('shop-b'), { pods: '2', 'limits.cpu': '500m' });
  assert.match((await quotaIn('shop-a'))!.metadata.name, /^default-/);
  await until('the sum', async () => same(await usedOf(shop), { limitsCpu: '1', pods: '3' }), slow);
  const shown = await server.ask(admin, 'GET', `${path}/shop-b`);
  assert.deepEqual(shown.resourceQuota, { limit: { limitsCpu: '500m', pods: '2' } });
  const [range] = (await kube.list<Resource<{ limits: object[] }>>(limitRanges, { namespace: 'shop-a', ...ours }))
    .items;
  assert.deepEqual(range!.spec!.limits, [
    { type: 'Container', default: { cpu: '200m' }, defaultRequest: { cpu: '100m' } },
  ]);
  await until(
    'the conditions',
    async () => (await conditions('shop-b')).get('ResourceQuotaValidated')?.Status === 'True',
  );
  assert.equal((await conditions('shop-b')).get('ResourceQuotaInit')?.Status, 'True');

  await until(
    'the cluster to have counted',
    async () => (await quotaIn('shop-a'))?.status?.used?.['pods'] === '0',
    slow,
  );
  await kube.create(pods, { ...pod('one'), metadata: { name: 'one', namespace: 'shop-a' } });
  await until('the pod to count', async () => (await quotaIn('shop-a'))?.status?.used?.['limits.cpu'] === '200m', slow);
  await assert.rejects(
    kube.create(pods, { ...pod('two'), metadata: { name: 'two', namespace: 'shop-a' } }),
    error => hasReason(error, 'Forbidden') && /exceeded quota: default-/.test((error as Error).message),
  );

  const third = await server.fetch('POST', path, { token: admin, body: { name: 'shop-c', projectId: shop } });
  assert.deepEqual([third.status, third.body.code, third.body.fieldName], [422, 'MaxLimitExceeded', 'resourceQuota']);
  assert.match(third.body.message, /exceeds the project's limit on: pods=1; left are pods=0/);
  const more = { resourceQuota: { limit: { pods: '3' } } };
  const grown = await server.fetch('PUT', `${path}/shop-b`, { token: admin, body: more });
  assert.deepEqual([grown.status, grown.body.code], [422, 'MaxLimitExceeded']);
  const shrunk = { resourceQuota: { limit: { pods: '2' } } };
  const less = await server.fetch('PUT', `/v3/projects/${shop}`, { token: admin, body: shrunk });
  assert.deepEqual([less.status, less.body.code, less.body.fieldName], [422, 'MaxLimitExceeded', 'resourceQuota']);
  await server.ask(admin, 'PUT', `/v3/projects/${shop}`, { resourceQuota: { limit: { pods: '9' } } });
  await server.ask(admin, 'PUT', `${path}/shop-b`, more);
  await until('the larger share', async () => (await hardIn('shop-b'))?.['pods'] === '3', slow);
  await until('the larger sum', async () => same(await usedOf(shop), { limitsCpu: '1', pods: '4' }), slow);

  const { name } = (await quotaIn('shop-a'))!.metadata;
  const edit = { spec: { hard: { pods: '50', 'limits.cpu': '40' } } };
  await kube.patch(resourceQuotas, name, edit, { namespace: 'shop-a', type: 'merge' });
  await until(
    'the edit to be put right',
    async () => same(await hardIn('shop-a'), { 'limits.cpu': '500m', pods: '1' }),
    slow,
  );
  await kube.delete(resourceQuotas, name, { namespace: 'shop-a' });
  await kube.delete(limitRanges, range!.metadata.name, { namespace: 'shop-a' });
  await until(
    'both to be made again',
    async () => {
      const ranges = await kube.list(limitRanges, { namespace: 'shop-a', ...ours });
      return (await quotaIn('shop-a')) !== undefined && ranges.items.length === 1;
    },
    slow,
  );

  const none = { resourceQuota: null, namespaceDefaultResourceQuota: null };
  await server.ask(admin, 'PUT', `/v3/projects/${shop}`, none);
  await until('the quotas to be gone', async () => !(await quotaIn('shop-a')) && !(await quotaIn('shop-b')), slow);
  await until(
    'what is said of them to be gone',
    async () => !('field.cattle.io/resourceQuota' in (await annotationsOf('shop-b'))),
    slow,
  );
});

test('who goes around the server gets what is left, and is told why', { skip, timeout: 120_000 }, async () => {
  const desk = await project('desk', quota({ secrets: '5' }, { secrets: '3' }));
  await server.ask(admin, 'POST', path, { name: 'desk-a', projectId: desk });
  await until('its quota', () => hardIn('desk-a'), slow);
  const annotations = { 'field.cattle.io/projectId': desk };
  const labels = { 'field.cattle.io/projectId': desk.split(':')[1]! };
  await kube.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'desk-b', labels, annotations },
  });
  await until('nothing for the second', async () => (await hardIn('desk-b'))?.['secrets'] === '0', slow);
  await until('the reason', async () => {
    const condition = (await conditions('desk-b')).get('ResourceQuotaValidated');
    return condition?.Status === 'False' && /\[secrets=3\] exceeds project limit/.test(condition.Message);
  });
  const { state, transitioning, transitioningMessage } = await server.ask(admin, 'GET', `${path}/desk-b`);
  assert.deepEqual([state, transitioning], ['error', 'error']);
  assert.match(transitioningMessage, /exceeds project limit/);
  await patch('desk-a', { 'field.cattle.io/resourceQuota': '{"limit":{"secrets":"500"}}' });
  await until(
    'the wish to be refused',
    async () => (await conditions('desk-a')).get('ResourceQuotaValidated')?.Status === 'False',
    slow,
  );
  assert.ok(Number((await hardIn('desk-a'))!['secrets']) <= 5);
  await kube.patch(
    namespaces,
    'desk-a',
    { metadata: { annotations: { 'field.cattle.io/resourceQuota': null } } },
    { type: 'merge' },
  );
  await until(
    'its part again',
    async () => (await conditions('desk-a')).get('ResourceQuotaValidated')?.Status === 'True',
    slow,
  );
});

test('a namespace is not moved into a project with a quota, and leaves its share behind where it goes', {
  skip,
  timeout: 120_000,
}, async () => {
  const full = await project('full', quota({ pods: '4' }, { pods: '2' }));
  const open = await project('open');
  await server.ask(admin, 'POST', path, { name: 'mover', projectId: open });
  const refused = await server.fetch('POST', `${path}/mover?action=move`, { token: admin, body: { projectId: full } });
  assert.deepEqual([refused.status, refused.body.code, refused.body.fieldName], [422, 'InvalidState', 'projectId']);
  await server.ask(admin, 'POST', path, { name: 'leaver', projectId: full });
  await until('its share', async () => same(await usedOf(full), { pods: '2' }), slow);
  await server.ask(admin, 'POST', `${path}/leaver?action=move`, { projectId: open }, 200);
  await until('its share to be free', async () => same(await usedOf(full), {}) && !(await quotaIn('leaver')), slow);
  const own = { containerDefaultResourceLimit: { limitsMemory: '64Mi' } };
  await server.ask(admin, 'PUT', `${path}/leaver`, own);
  await until(
    'limits of its own',
    async () => {
      const { items } = await kube.list<Resource<{ limits: { default: object }[] }>>(limitRanges, {
        namespace: 'leaver',
        ...ours,
      });
      return same(items[0]?.spec?.limits[0]?.default, { memory: '64Mi' });
    },
    slow,
  );
  const outside = { name: 'outside', resourceQuota: { limit: { pods: '1' } } };
  const alone = await server.fetch('POST', path, { token: admin, body: outside });
  assert.deepEqual([alone.status, alone.body.code], [422, 'InvalidState']);
});
