/** What a project's pods ask for, and what is kept of the pods and namespaces to know it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '@drover/base';
import type { PodResource } from '@drover/kube';
import { figuresOf, keepPods } from './cluster-pods.ts';
import { componentsOf } from './cluster-polls.ts';
import { planProjects, slimNamespace } from './project-figures.ts';

const namespace = (name: string, projectId?: string): Resource => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    annotations: { other: 'x'.repeat(1000), ...(projectId ? { 'field.cattle.io/projectId': projectId } : {}) },
  },
});
const pod = (name: string, cpu: string, { phase = 'Running', nodeName = 'n' } = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { big: 'label' } },
    spec: { nodeName, containers: [{ name: 'c', image: 'x', resources: { requests: { cpu }, limits: { cpu } } }] },
    status: { phase, conditions: [{ type: 'Ready' }] },
  }) as unknown as PodResource;

test('a project is the sum of its namespaces, and one of none has no figures', () => {
  const keep = keepPods();
  const pods = { a: [keep(pod('1', '1'))!], b: [keep(pod('2', '500m'))!], c: [keep(pod('3', '8'))!] };
  const figures = planProjects({
    namespaces: [namespace('a', 'c-1:p-1'), namespace('b', 'c-1:p-1'), namespace('c')].map(slimNamespace),
    podsIn: name => figuresOf(pods[name as 'a']),
    usageIn: name => (name === 'b' ? { cpu: 0.25 } : undefined),
  });
  assert.deepEqual(
    [...figures],
    [['c-1:p-1', { requested: { cpu: '1500m', pods: '2' }, limits: { cpu: '1500m' }, usage: { cpu: '250m' } }]],
  );
});

test('of a pod its figures stay, shared by all that ask for the same; one that counts nothing is not kept', () => {
  const keep = keepPods();
  const [one, two, other] = [keep(pod('1', '1')), keep(pod('2', '1')), keep(pod('3', '2'))];
  assert.equal(one!.figures, two!.figures);
  assert.notEqual(one!.figures, other!.figures);
  assert.deepEqual(Object.keys(one!.spec!), ['nodeName']);
  assert.ok(JSON.stringify({ ...one, figures: undefined }).length < 120);
  assert.equal(keep(pod('4', '1', { phase: 'Succeeded' })), undefined);
  assert.equal(keep(pod('5', '1', { nodeName: '' })), undefined);
});

test('of a namespace only its project stays', () => {
  assert.deepEqual(slimNamespace(namespace('a')).metadata.annotations, undefined);
  assert.deepEqual(slimNamespace(namespace('a', 'c:p')).metadata.annotations, { 'field.cattle.io/projectId': 'c:p' });
});

test('components are told in one order, and whatever a cluster says of them has bounds', () => {
  const healthy = { type: 'Healthy', status: 'True', message: 'ok' };
  const item = (name: string, conditions: unknown) =>
    ({ apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name }, conditions }) as Resource;
  assert.deepEqual(componentsOf([item('scheduler', [healthy]), item('etcd-0', 'nonsense')]), [
    { name: 'etcd-0', conditions: [] },
    { name: 'scheduler', conditions: [{ ...healthy, error: undefined }] },
  ]);
  const [odd] = componentsOf([item('odd', [{ type: 5, message: 'x'.repeat(5000) }, null])]);
  assert.deepEqual(
    odd!.conditions.map(({ type, status, message }) => [type, status, message?.length]),
    [
      ['', 'Unknown', 1024],
      ['', 'Unknown', undefined],
    ],
  );
});
