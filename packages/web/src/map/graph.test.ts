/** What hangs together in a cluster, out of what its lists say of each object. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind } from '../net/kinds.ts';
import type { Relationship } from '../net/objects.ts';
import { buildMap, type Listed, mostPods, type Part } from './graph.ts';

const kinds: Readonly<Record<string, string>> = {
  Ingress: 'networking.k8s.io.ingress',
  Service: 'service',
  Deployment: 'apps.deployment',
  ReplicaSet: 'apps.replicaset',
  Pod: 'pod',
  ConfigMap: 'configmap',
  PersistentVolumeClaim: 'persistentvolumeclaim',
  PersistentVolume: 'persistentvolume',
  HorizontalPodAutoscaler: 'autoscaling.horizontalpodautoscaler',
};
const list = (kind: string, ...objects: Part[]): Listed => ({
  kind: { id: kinds[kind]!, plural: `${kinds[kind]}s`, kind } as Kind,
  objects,
});
interface More {
  readonly relationships?: readonly Relationship[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
  readonly error?: boolean;
  readonly namespace?: string;
}
const make = (
  kind: string,
  name: string,
  { spec, error = false, namespace = 'shop', ...metadata }: More = {},
): Part => ({
  id: namespace ? `${namespace}/${name}` : name,
  type: kinds[kind]!,
  links: {},
  spec,
  metadata: {
    name,
    ...(namespace ? { namespace } : {}),
    ...metadata,
    state: { name: error ? 'crashloopbackoff' : 'running', error, transitioning: false, message: '' },
  },
});
const ownedBy = (type: string, name: string): Relationship => ({
  rel: 'owner',
  fromType: type,
  fromId: `shop/${name}`,
});
const uses = (type: string, name: string): Relationship => ({ rel: 'uses', toType: type, toId: `shop/${name}` });
const labels = { app: 'web' };
const pod = (name: string, more: More = {}) =>
  make('Pod', name, {
    labels,
    ...more,
    relationships: [
      ownedBy('apps.replicaset', 'web-1'),
      uses('configmap', 'app'),
      uses('node', 'n1'),
      ...(more.relationships ?? []),
    ],
  });

const shop = [
  list(
    'Ingress',
    make('Ingress', 'web', { spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }] } }),
  ),
  list('Service', make('Service', 'web', { relationships: [{ rel: 'selects', toType: 'pod', selector: 'app=web' }] })),
  list('Deployment', make('Deployment', 'web')),
  list(
    'HorizontalPodAutoscaler',
    make('HorizontalPodAutoscaler', 'web', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' } } }),
  ),
  list(
    'ReplicaSet',
    make('ReplicaSet', 'web-1', { relationships: [ownedBy('apps.deployment', 'web')] }),
    make('ReplicaSet', 'web-0', { relationships: [ownedBy('apps.deployment', 'web')] }),
  ),
  list(
    'Pod',
    pod('web-1-a', { relationships: [uses('persistentvolumeclaim', 'data')] }),
    pod('web-1-b', { labels: { app: 'other' } }),
  ),
  list('ConfigMap', make('ConfigMap', 'app'), make('ConfigMap', 'left-over'), make('ConfigMap', 'kube-root-ca.crt')),
  list('PersistentVolumeClaim', make('PersistentVolumeClaim', 'data', { spec: { volumeName: 'pv-1' } })),
  list('PersistentVolume', make('PersistentVolume', 'pv-1', { namespace: '' })),
];

test('an app is one group, from its Ingress to its volumes', () => {
  const { groups, alone } = buildMap(shop);
  assert.equal(groups.length, 1);
  const nameOf = (key: string) => `${groups[0]!.nodes.find(node => node.key === key)!.kind} ${key.split('/').at(-1)}`;
  assert.deepEqual(groups[0]!.edges.map(({ from, to, rel }) => `${nameOf(from)} ${rel} ${nameOf(to)}`).sort(), [
    'Deployment web owns ReplicaSet web-1',
    'HorizontalPodAutoscaler web scales Deployment web',
    'Ingress web routes Service web',
    'PersistentVolumeClaim data binds PersistentVolume pv-1',
    'Pod web-1-a uses ConfigMap app',
    'Pod web-1-a uses PersistentVolumeClaim data',
    'Pod web-1-b uses ConfigMap app',
    'ReplicaSet web-1 owns Pod web-1-a',
    'ReplicaSet web-1 owns Pod web-1-b',
    'Service web selects Pod web-1-a',
  ]);
  assert.deepEqual(
    alone.map(({ name }) => name),
    ['left-over'],
  );
});

test('of many pods of one owner a few are shown, those that are not well first', () => {
  const pods = Array.from({ length: 40 }, (_, at) => pod(`p-${at}`, { error: at === 33 }));
  const { groups } = buildMap([
    list('ReplicaSet', make('ReplicaSet', 'web-1')),
    list('Pod', ...pods),
    list('ConfigMap'),
  ]);
  const shown = groups[0]!.nodes.filter(({ kind }) => kind === 'Pod');
  assert.equal(shown.length, mostPods);
  assert.ok(shown.some(({ name }) => name === 'p-33'));
  assert.deepEqual(
    shown.flatMap(({ more = [] }) => more),
    [34],
  );
  assert.equal(groups[0]!.isUnwell, true);
  assert.equal(groups[0]!.edges.length, mostPods);
});

test('what everybody uses does not make one group of all, and what may not be listed is not there', () => {
  const others = Array.from({ length: 31 }, (_, at) =>
    make('Pod', `q-${at}`, { relationships: [uses('configmap', 'app')] }),
  );
  const own = make('Service', 'q', { relationships: [{ rel: 'selects', toType: 'pod', selector: 'app=web' }] });
  const { groups } = buildMap([
    list('Pod', ...others, pod('web-1-a')),
    list('ConfigMap', make('ConfigMap', 'app')),
    list('Service', own),
  ]);
  assert.deepEqual(
    groups.map(({ nodes }) => nodes.map(({ name }) => name)),
    [['q', 'web-1-a']],
  );
});

test('ten thousand pods are put together in a moment', () => {
  const pods = Array.from({ length: 10_000 }, (_, at) =>
    make('Pod', `p-${at}`, { relationships: [ownedBy('apps.replicaset', `r-${at % 500}`)] }),
  );
  const sets = Array.from({ length: 500 }, (_, at) => make('ReplicaSet', `r-${at}`));
  const began = performance.now();
  assert.equal(buildMap([list('Pod', ...pods), list('ReplicaSet', ...sets)]).groups.length, 500);
  assert.ok(performance.now() - began < 5000);
});
