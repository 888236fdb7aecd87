/** What was used is summed by node, namespace and workload, and nobody is shown more than he may see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeMetrics, PodMetrics } from '@drover/kube';
import { UsageRing } from './usage-ring.ts';
import { workloadOf } from './workload-of.ts';

const node = (name: string, cpu: string) =>
  ({ metadata: { name }, usage: { cpu, memory: '1Gi' } }) as unknown as NodeMetrics;
const pod = (namespace: string, name: string, cpu: string, labels = {}) =>
  ({ metadata: { namespace, name, labels }, containers: [{ usage: { cpu, memory: '1Mi' } }] }) as unknown as PodMetrics;

test('samples become series, the greediest first', () => {
  const ring = new UsageRing();
  const web = { 'pod-template-hash': 'abc12' };
  for (let minute = 0; minute < 400; minute++)
    ring.add(
      minute,
      [node('n1', '2'), node('n2', '500m')],
      [pod('shop', 'web-abc12-x', '100m', web), pod('shop', 'web-abc12-y', '200m', web), pod('dark', 'secret', '1')],
    );
  const all = ring.series('workload', () => true);
  assert.deepEqual(
    all.map(({ name, namespace, points }) => [name, namespace, points.length, points[0]!.atMs]),
    [
      ['secret', 'dark', 360, 40],
      ['web', 'shop', 360, 40],
    ],
  );
  assert.ok(Math.abs(all[1]!.points[0]!.cpu - 0.3) < 1e-9);
  assert.deepEqual(
    ring.series('namespace', namespace => namespace === 'shop').map(({ name }) => name),
    ['shop'],
  );
  assert.deepEqual(
    ring.series('node', () => false).map(({ name, points }) => [name, points[0]!.cpu]),
    [
      ['n1', 2],
      ['n2', 0.5],
    ],
  );
});

test('a pod’s workload is known by what its controller left on it', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['web-abc12-x1y2z', { 'pod-template-hash': 'abc12' }, 'web'],
    ['db-0', { 'apps.kubernetes.io/pod-index': '0', 'controller-revision-hash': 'db-1' }, 'db'],
    ['agent-x1y2z', { 'controller-revision-hash': '7f' }, 'agent'],
    ['night-29000000-abcde', { 'job-name': 'night-29000000' }, 'night'],
    ['alone', {}, 'alone'],
  ];
  for (const [name, labels, workload] of cases) assert.equal(workloadOf({ name, labels } as never), workload);
});
