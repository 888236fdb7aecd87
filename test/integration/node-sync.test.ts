/**
 * A cluster's nodes, pods and projects as the server shows them, with a real kube-apiserver behind a real agent: figures that
 * add up, states and their causes, and subscribers who are told.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { type Resource, until } from '@drover/base';
import { KubeClient, nodes, pods } from '@drover/kube';
import { WebSocket } from 'ws';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer() ?? false;
const patient = { timeoutMs: 60_000, everyMs: 100 };
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
  const isActive = async () => {
    const { data } = await server.ask(admin, 'GET', '/v3/clusters?name=test');
    return data[0]?.state === 'active' ? (data[0].id as string) : undefined;
  };
  id = await until('the cluster to be active', isActive, patient);
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const makeNode = (name: string, labels: Record<string, string> = {}) => {
  const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'all is well' }];
  return kube.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/os': 'linux', ...labels } },
    status: { capacity: amounts, allocatable: amounts, conditions },
  } as unknown as Resource);
};
const makePod = (name: string, nodeName: string, cpu: string) =>
  kube.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName,
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu, memory: '1Gi' }, limits: { cpu } } }],
    },
  } as unknown as Resource);
const nodeNamed = async (name: string) =>
  (await server.ask(admin, 'GET', `/v3/nodes?clusterId=${id}&nodeName=${name}`)).data[0];

test('nodes come with roles and figures, and add up in the cluster and its projects', { skip }, async () => {
  await makeNode('one', { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/etcd': '' });
  await makeNode('two');
  await makePod('a', 'one', '1');
  await makePod('b', 'two', '500m');
  const seen = await until(
    'the figures of the cluster',
    async () => {
      const one = await server.ask(admin, 'GET', `/v3/clusters/${id}`);
      return one.requested?.cpu === '1500m' && one;
    },
    patient,
  );
  assert.deepEqual([seen.nodeCount, seen.linuxWorkerCount, seen.allocatable.memory], [2, 1, '16Gi']);
  assert.deepEqual(seen.requested, { cpu: '1500m', memory: '2Gi', pods: '2' });
  assert.deepEqual(seen.limits, { cpu: '1500m' });
  const [one, two] = [await nodeNamed('one'), await nodeNamed('two')];
  assert.deepEqual([one.controlPlane, one.etcd, one.worker, one.requested.cpu], [true, true, false, '1']);
  assert.deepEqual([two.controlPlane, two.etcd, two.worker, two.requested.cpu], [false, false, true, '500m']);
  assert.deepEqual([two.state, two.conditions[0].reason], ['active', 'KubeletReady']);
  const project = await until(
    'the figures of the project',
    async () => {
      const { data } = await server.ask(admin, 'GET', `/v3/projects?clusterId=${id}&name=Default`);
      return data[0]?.requested?.cpu === '1500m' && data[0];
    },
    patient,
  );
  assert.deepEqual([project.requested.pods, project.limits.cpu, project.usage ?? undefined], ['2', '1500m', undefined]);
});

test('subscribers are told of a pod that came and of a node in trouble, with the cause', { skip }, async () => {
  const socket = new WebSocket(`${server.url}/v3/subscribe?resourceTypes=node&resourceTypes=cluster`, {
    ca: server.ca,
    headers: { authorization: `Bearer ${admin}` },
  });
  try {
    // biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
    const told: any[] = [];
    socket.on('message', text => told.push(JSON.parse(String(text)).data));
    await once(socket, 'open');
    await until('what is there', () => told.some(data => data.nodeName === 'two'), patient);
    await makePod('c', 'two', '250m');
    await until('the node', () => told.some(data => data.nodeName === 'two' && data.requested.cpu === '750m'), patient);
    await until('the cluster', () => told.some(data => data.id === id && data.requested.cpu === '1750m'), patient);
    const broken = { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'disk is on fire' };
    await kube.patch(nodes, 'two', { status: { conditions: [broken] } }, { type: 'strategic', subresource: 'status' });
    const sick = await until(
      'the node’s state',
      () => told.find(data => data.nodeName === 'two' && data.state === 'unavailable'),
      patient,
    );
    assert.match(sick.transitioningMessage, /disk is on fire/);
  } finally {
    socket.terminate();
  }
});

test('the health of components is told, and a node that goes takes its figures along', { skip }, async () => {
  const components = await until(
    'components',
    async () => (await server.ask(admin, 'GET', `/v3/clusters/${id}`)).componentStatuses as { name: string }[],
    patient,
  );
  const etcd = components.find(({ name }) => name.startsWith('etcd')) as unknown as {
    conditions: { type: string; status: string }[];
  };
  assert.deepEqual([etcd.conditions[0]!.type, etcd.conditions[0]!.status], ['Healthy', 'True']);
  await kube.delete(nodes, 'two');
  await until('the node to be gone', async () => (await nodeNamed('two')) === undefined, patient);
  const left = await until(
    'the figures to follow',
    async () => {
      const one = await server.ask(admin, 'GET', `/v3/clusters/${id}`);
      return one.nodeCount === 1 && one;
    },
    patient,
  );
  assert.equal(left.requested.cpu, '1');
});
