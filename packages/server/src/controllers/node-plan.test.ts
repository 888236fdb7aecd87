/** Nodes as the server keeps them: roles, addresses, figures, sums over the cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PodResource, podFigures } from '@drover/kube';
import { isSame, type KubeNode, managedNodeName, planNodes, slimNode } from './node-plan.ts';

const node = (name: string, labels: Record<string, string> = {}): KubeNode => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/os': 'linux', ...labels } },
  status: {
    capacity: { cpu: '4', memory: '8Gi', pods: '110' },
    allocatable: { cpu: '3500m', memory: '7Gi', pods: '110' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'now' }],
  },
});
const pod = {
  metadata: { name: 'p', namespace: 'n', labels: { big: 'label' } },
  spec: { nodeName: 'a', containers: [{ image: 'x', resources: { requests: { cpu: '250m', memory: '1Gi' } } }] },
  status: { phase: 'Running' },
} as unknown as PodResource;

test('figures of nodes and their sums', () => {
  const { nodes, figures } = planNodes('c-1', {
    nodes: [slimNode(node('a', { 'node-role.kubernetes.io/control-plane': '' })), slimNode(node('b'))],
    podsOf: name => (name === 'a' ? [podFigures(pod)!] : []),
    metricsOf: () => undefined,
  });
  assert.deepEqual(
    nodes.map(({ metadata, spec }) => [metadata.name, spec?.controlPlane, spec?.worker]),
    [
      [managedNodeName('a'), true, false],
      [managedNodeName('b'), false, true],
    ],
  );
  assert.equal(nodes[0]?.status?.ipAddress, '10.0.0.1');
  assert.deepEqual(figures.requested, { cpu: '250m', memory: '1Gi', pods: '1' });
  assert.deepEqual(figures.capacity, { cpu: '8', memory: '16Gi', pods: '220' });
  assert.deepEqual([figures.nodeCount, figures.linuxWorkerCount, figures.usage], [2, 1, undefined]);
});

test('a heartbeat alone changes nothing', () => {
  const plan = (lastHeartbeatTime: string) => {
    const one = node('a');
    const conditions = [{ type: 'Ready', status: 'True' as const, lastHeartbeatTime }];
    const seen = { ...one, status: { ...one.status, conditions } };
    return planNodes('c-1', { nodes: [seen], podsOf: () => [], metricsOf: () => undefined });
  };
  assert.ok(isSame(plan('a'), plan('b')));
  assert.ok(isSame({ a: 1, b: undefined, c: null }, { a: 1 }));
  assert.ok(!isSame({ a: [1, 2] }, { a: [2, 1] }));
});
