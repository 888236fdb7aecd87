/** Node figures in tables: pods counted as the scheduler counts them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmounts, nodeUsage, type PodResource, podFigures, podUsage, sumUsage } from './node-usage.ts';

const node = (cpu: string, memory: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  status: { capacity: { cpu, memory, pods: '110' }, allocatable: { cpu, memory, pods: '110' } },
});
const pod = (spec: PodResource['spec'], phase = 'Running'): PodResource => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default' },
  spec,
  status: { phase },
});
const wants = (cpu: string, memory: string, restartPolicy?: string) => ({
  restartPolicy,
  resources: { requests: { cpu, memory }, limits: { cpu } },
});

const figuresOf = (pods: PodResource[]) => pods.flatMap(one => podFigures(one) ?? []);

const cases: [string, PodResource[], Record<string, string>, Record<string, string>][] = [
  ['no pods', [], { pods: '0' }, {}],
  [
    'two containers are added',
    [pod({ containers: [wants('250m', '64Mi'), wants('1', '64Mi')] })],
    { cpu: '1250m', memory: '128Mi', pods: '1' },
    { cpu: '1250m' },
  ],
  [
    'an init container counts by its moment only',
    [pod({ initContainers: [wants('2', '32Mi'), wants('1', '1Gi')], containers: [wants('500m', '64Mi')] })],
    { cpu: '2', memory: '1Gi', pods: '1' },
    { cpu: '2' },
  ],
  [
    'a sidecar stays for what comes after it',
    [pod({ initContainers: [wants('1', '1Gi', 'Always'), wants('1', '1Gi')], containers: [wants('500m', '1Gi')] })],
    { cpu: '2', memory: '2Gi', pods: '1' },
    { cpu: '2' },
  ],
  [
    "the pod's own figures win over its containers'",
    [pod({ containers: [wants('3', '1Gi')], resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } })],
    { cpu: '1', memory: '1Gi', pods: '1' },
    { cpu: '2' },
  ],
  [
    'overhead is added to requests, and to limits that are set',
    [pod({ containers: [wants('1', '1Gi')], overhead: { cpu: '250m', memory: '1Gi' } })],
    { cpu: '1250m', memory: '2Gi', pods: '1' },
    { cpu: '1250m' },
  ],
  [
    'pods that have ended count no more',
    [pod({ containers: [wants('1', '1Gi')] }, 'Succeeded'), pod({ containers: [wants('1', '1Gi')] }, 'Failed')],
    { pods: '0' },
    {},
  ],
  [
    'a quantity that is none counts nothing',
    [pod({ containers: [wants('lots', '64Mi')] })],
    { cpu: '0', memory: '64Mi', pods: '1' },
    { cpu: '0' },
  ],
];

for (const [what, pods, requested, limits] of cases) {
  test(what, () => {
    const usage = nodeUsage(node('4', '8Gi'), figuresOf(pods));
    assert.deepEqual([formatAmounts(usage.requested), formatAmounts(usage.limits)], [requested, limits]);
    assert.deepEqual(formatAmounts(usage.allocatable), { cpu: '4', memory: '8Gi', pods: '110' });
    assert.equal(usage.usage, undefined);
  });
}

test('a cluster is the sum of its nodes; usage is there where metrics are', () => {
  const metrics = {
    apiVersion: 'x',
    kind: 'NodeMetrics',
    metadata: { name: 'n' },
    usage: { cpu: '250000000n', memory: '1Gi' },
  };
  const one = nodeUsage(node('4', '8Gi'), figuresOf([pod({ containers: [wants('1', '1Gi')] })]), metrics);
  const two = nodeUsage(node('2', '4Gi'), figuresOf([pod({ containers: [wants('1', '1Gi')] })]));
  const sum = sumUsage([one, two]);
  assert.deepEqual(formatAmounts(sum.capacity), { cpu: '6', memory: '12Gi', pods: '220' });
  assert.deepEqual(formatAmounts(sum.requested), { cpu: '2', memory: '2Gi', pods: '2' });
  assert.deepEqual(formatAmounts(sum.usage!), { cpu: '250m', memory: '1Gi' });
  assert.deepEqual(sumUsage([]), { capacity: {}, allocatable: {}, requested: {}, limits: {} });
});

test('what a pod uses is what its containers use', () => {
  const containers = [{ usage: { cpu: '250m', memory: '1Gi' } }, { usage: { cpu: '1', memory: '0' } }];
  const metadata = { name: 'p', namespace: 'default' };
  const metrics = { apiVersion: 'x', kind: 'PodMetrics', metadata, containers };
  assert.deepEqual(formatAmounts(podUsage(metrics)), { cpu: '1250m', memory: '1Gi' });
});
