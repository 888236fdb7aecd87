/** Nodes through v3, in a real kube-apiserver: cordoned, uncordoned and drained as the caller, with what became of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Resource, until } from '@drover/base';
import { KubeClient, nodes, pods, type ResourceRef } from '@drover/kube';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;
const budgets: ResourceRef = {
  apiVersion: 'policy/v1',
  resource: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
};

let cluster: TestApiServer;
let server: ServerProcess;
let kube: KubeClient;
let admin: string;
let id: string;

before(async () => {
  if (skip) return;
  cluster = await startApiServer();
  kube = new KubeClient(cluster.connection);
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
  await until('rights in the cluster', async () => {
    const { status } = await server.fetch('GET', `/k8s/clusters/${id}/api/v1/nodes`, { token: admin });
    return status === 200;
  });
  await kube.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker' } });
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid', controller: true };
  const pod = (name: string, more: object = {}, ownerReferences: readonly object[] = [controller]) =>
    kube.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app: name }, ownerReferences },
      spec: { nodeName: 'worker', containers: [{ name: 'main', image: 'example.com/web' }], ...more },
    } as Resource);
  await until('the default service account', () => pod('web').then(() => true));
  await pod('daemon', {}, [{ ...controller, kind: 'DaemonSet', name: 'daemon' }]);
  await pod('data', { volumes: [{ name: 'scratch', emptyDir: {} }] });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const path = (url: string) => url.slice(server.url.length);
const seen = async (): Promise<Wire> => (await server.ask(admin, 'GET', `/v3/nodes?clusterId=${id}`)).data[0];
const node = async (state: string): Promise<Wire> =>
  until(`the node to be ${state}`, async () => {
    const one = await seen();
    return one?.state === state ? one : undefined;
  });
const podNames = async () => (await kube.list(pods)).items.map(({ metadata }) => metadata.name).sort();

test('a node is cordoned and uncordoned, and its actions say what can be done', { skip }, async () => {
  const free = await node('active');
  assert.deepEqual(Object.keys(free.actions).sort(), ['cordon', 'drain']);
  await server.ask(admin, 'POST', path(free.actions.cordon), {}, 200);
  const cordoned = await node('cordoned');
  assert.deepEqual(Object.keys(cordoned.actions).sort(), ['drain', 'uncordon']);
  await server.ask(admin, 'POST', path(cordoned.actions.uncordon), {}, 200);
  await node('active');
});

test('a drain refuses what would be lost for good, and leaves the node as it was told', { skip }, async () => {
  const { actions } = await node('active');
  const refused = await server.fetch('POST', path(actions.drain), { token: admin, body: {} });
  assert.deepEqual([refused.status, refused.body.fieldName], [422, 'deleteLocalData']);
  assert.match(refused.body.message, /default\/data/);
  const wrong = await server.fetch('POST', path(actions.drain), { token: admin, body: { timeout: 'long' } });
  assert.deepEqual([wrong.status, wrong.body.fieldName], [422, 'timeout']);
  assert.deepEqual(await podNames(), ['daemon', 'data', 'web']);
});

test('a drain waits for a disruption budget, can be stopped, and goes on where it was', { skip }, async () => {
  await kube.create(budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  } as Resource);
  // No controller looks at it here, so it lets nothing go.
  await until('pods that can be asked for', async () => {
    const all = await kube.list<Resource<unknown, { phase?: string }>>(pods);
    for (const pod of all.items)
      await kube.updateStatus(pods, { ...pod, status: { ...pod.status, phase: 'Running' } } as Resource);
    return true;
  });
  const drainWith = { deleteLocalData: true, gracePeriod: 0, timeout: 60 };
  const { actions } = await seen();
  await server.ask(admin, 'POST', path(actions.drain), drainWith, 200);
  const draining = await node('draining');
  assert.ok(draining.actions.stopDrain);
  const { id: userId, token: viewer } = await server.makeUser(admin, 'viewer');
  const roleTemplateId = 'cluster-member';
  await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', { clusterId: id, roleTemplateId, userId });
  const [shown] = (await server.ask(viewer, 'GET', `/v3/nodes?clusterId=${id}`)).data;
  assert.equal(shown.actions, undefined, 'nobody is shown what he may not do');
  assert.equal((await server.fetch('POST', path(draining.actions.stopDrain), { token: viewer, body: {} })).status, 403);
  await until('all but those that are held to be gone', async () => (await podNames()).join() === 'daemon,web');
  await server.ask(admin, 'POST', path(draining.actions.stopDrain), {}, 200);
  const stopped = await until('the drain to be told as stopped', async () => {
    const one = await seen();
    return one.transitioning === 'error' ? one : undefined;
  });
  assert.match(stopped.transitioningMessage, /it was stopped/);
  const offered = () => until('the drain to be offered again', async () => (await seen()).actions.drain);
  await server.ask(admin, 'POST', path(await offered()), { ...drainWith, timeout: 1 }, 200);
  const late = await until('the drain to be told as late', async () => {
    const { transitioningMessage: message } = await seen();
    return /did not leave/.test(message) ? message : undefined;
  });
  assert.match(late, /default\/web \(.*disruption budget.*\) did not leave .* within 1 s/);
  await kube.delete(budgets, 'web', { namespace: 'default' });
  await server.ask(admin, 'POST', path(await offered()), drainWith, 200);
  const drained = await node('drained');
  assert.deepEqual(await podNames(), ['daemon']);
  await server.ask(admin, 'POST', path(drained.actions.uncordon), {}, 200);
  await node('active');
});
