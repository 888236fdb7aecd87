/**
 * Live types both ways: whatever v3 can say of an object comes back as it was said, and what v3 has no word for stays in
 * the cluster's object through an update.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Structs } from '../input.ts';
import type { V3Data } from '../projection.ts';
import type { SchemaField, SchemaFields } from '../schema.ts';
import { fromLiveV3, graft, type LiveObject, type LiveType, liveTypes, parseLiveId, toLiveV3 } from './index.ts';

/** Fields that are said in another way too, or that nobody says: what a client writes in them is not what he reads. */
const notTwice: Readonly<Record<string, readonly string[]>> = {
  '*': ['name', 'namespaceId', 'projectId', 'status', 'labels', 'annotations', 'workloadLabels', 'workloadAnnotations'],
  // Older names for env, envFrom and defaultBackend; what only a running container has.
  container: [
    'environment',
    'environmentFrom',
    'exitCode',
    'restartCount',
    'state',
    'transitioning',
    'transitioningMessage',
  ],
  ingress: ['backend'],
  // What has no place in the cluster.
  registryCredential: ['description'],
  containerPort: ['dnsName', 'hostPort'],
  // Read from the status.
  metric: ['current'],
  horizontalPodAutoscaler: ['id', 'conditions'],
};

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
/** Two ports of one container never have the same. */
const portName = fc.stringMatching(/^[a-z][a-z0-9]{12}$/);
const port = fc.integer({ min: 1, max: 60_000 });

const backend = (more: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ serviceId: word.map(name => `ns:${name}`), targetPort: fc.oneof(port, word), ...more });

/** Structs of which only one form can be there at a time, or whose text has a grammar. */
const special: Readonly<Record<string, (structs: Structs, depth: number) => fc.Arbitrary<unknown>>> = {
  ingressBackend: () => backend({}),
  httpIngressPath: () => backend({ path: word, pathType: fc.constant('Prefix') }),
  probe: () => handlers(['grpc', 'failureThreshold', 'periodSeconds']),
  lifecycleHandler: () => handlers([]),
  nodeScheduling: () => {
    const expression = fc.constantFrom(
      'disk = ssd',
      '!gpu',
      'gpu',
      'zone in (a, b)',
      'zone notin (a, b)',
      'n > 3',
      'a != b',
    );
    const lists = {
      requireAll: fc.array(expression, { minLength: 1, maxLength: 2 }),
      preferred: fc.array(expression, { minLength: 1, maxLength: 2 }),
    };
    return fc.record(lists, { requiredKeys: [] }).filter(one => Object.keys(one).length > 0);
  },
  containerPort: () =>
    fc.oneof(
      fc.record({ name: portName, containerPort: port, kind: fc.constant('ClusterIP') }),
      fc.record({ name: portName, containerPort: port, kind: fc.constant('HostPort'), sourcePort: port }),
      fc.record({ name: portName, containerPort: port, kind: fc.constant('NodePort'), sourcePort: port }),
    ),
  metric: () =>
    fc.record({
      type: fc.constantFrom('Pods', 'Resource', 'External', 'Object'),
      name: word,
      target: fc.record({ type: fc.constant('Utilization'), utilization: port }),
    }),
};

function handlers(others: readonly string[]): fc.Arbitrary<unknown> {
  const rest = Object.fromEntries(others.filter(name => name !== 'grpc').map(name => [name, port]));
  return fc.oneof(
    fc.record({ command: fc.array(word, { minLength: 1 }), ...rest }),
    fc.record({ tcp: fc.constant(true), port, host: word, ...rest }),
    fc.record({ path: word, port, scheme: fc.constant('HTTP'), ...rest }),
    ...(others.includes('grpc') ? [fc.record({ grpc: fc.record({ port, service: word }), ...rest })] : []),
  );
}

function anyOf(
  field: Pick<SchemaField, 'type' | 'options'>,
  structs: Structs,
  depth: number,
): fc.Arbitrary<unknown> | undefined {
  const { type, options } = field;
  if (options && !/^array/.test(type)) return fc.constantFrom(...options);
  const list = /^array\[(.+)\]$/.exec(type)?.[1];
  if (list) {
    const item = anyOf({ type: list, options }, structs, depth);
    return item && fc.array(item, { minLength: 1, maxLength: 2 });
  }
  const map = /^map\[(.+)\]$/.exec(type)?.[1];
  if (map) {
    const item = anyOf({ type: map }, structs, depth);
    return item && fc.dictionary(word, item, { minKeys: 1, maxKeys: 2 });
  }
  if (type === 'int' || type === 'float') return port;
  if (type === 'boolean') return fc.boolean();
  if (type === 'intOrString') return fc.oneof(port, word);
  if (type === 'base64') return fc.constant('eA==');
  if (/^reference\[(persistentVolumeClaim|service|certificate)\]$/.test(type)) return word.map(name => `ns:${name}`);
  if (type === 'reference[workload]') return word.map(name => `deployment:ns:${name}`);
  if (special[type]) return special[type](structs, depth);
  if (structs[type]) return depth > 5 ? undefined : record(type, structs[type], structs, depth + 1);
  return word;
}

function record(id: string, fields: SchemaFields, structs: Structs, depth: number): fc.Arbitrary<V3Data> | undefined {
  const left = new Set([...(notTwice['*'] ?? []), ...(notTwice[id] ?? [])]);
  // Within a struct these are fields like any other.
  if (depth > 0) for (const name of ['name', 'labels', 'annotations']) left.delete(name);
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!field.create || field.writeOnly || left.has(name)) continue;
    const value = anyOf(field, structs, depth);
    if (value) values[name] = value;
  }
  if (Object.keys(values).length === 0) return undefined;
  const required = depth > 0 && values['name'] ? ['name'] : [];
  const some = fc.record(values, { requiredKeys: required }) as fc.Arbitrary<V3Data>;
  return depth === 0 ? some : some.filter(one => Object.keys(one).length > 0);
}

function inCluster(type: LiveType, object: LiveObject): LiveObject {
  const namespace = type.namespaced ? 'ns' : undefined;
  return { ...object, metadata: { ...object.metadata, name: 'one', namespace, uid: 'uid-1' } } as LiveObject;
}

/** What was said, found in what is shown: defaults beside it are v3's own. */
function contains(shown: unknown, said: unknown, path: string): void {
  if (Array.isArray(said)) {
    assert.ok(Array.isArray(shown), `${path} is no list: ${JSON.stringify(shown)}`);
    assert.equal(shown.length, said.length, `${path}: ${JSON.stringify(shown)} for ${JSON.stringify(said)}`);
    // Init containers come after the others.
    const order = (all: readonly unknown[]) =>
      path.endsWith('.containers')
        ? all.toSorted(
            (a, b) => Number((a as V3Data)['initContainer'] ?? 0) - Number((b as V3Data)['initContainer'] ?? 0),
          )
        : all;
    for (const [i, item] of order(said).entries()) contains(order(shown)[i], item, `${path}[${i}]`);
  } else if (typeof said === 'object' && said !== null) {
    assert.equal(typeof shown, 'object', `${path} is ${JSON.stringify(shown)}, not ${JSON.stringify(said)}`);
    for (const [name, value] of Object.entries(said)) contains((shown as V3Data)?.[name], value, `${path}.${name}`);
  } else assert.deepEqual(shown, said, path);
}

for (const type of liveTypes) {
  const { fields, structs } = type.declaration.schema!;
  test(`${type.id}: what v3 says of one comes back as it was said`, () => {
    const input = record(type.id, fields, structs, 0) ?? fc.constant({});
    fc.assert(
      fc.property(input, said => {
        const object = inCluster(type, fromLiveV3(type, said, type.namespaced ? 'ns' : undefined));
        contains(toLiveV3(type, object), said, type.id);
      }),
      { numRuns: 60 },
    );
  });
}

test('init containers, probes, environment and affinity are read as Kubernetes wants them', () => {
  const type = liveTypes.find(({ id }) => id === 'deployment')!;
  const said = {
    containers: [
      { name: 'first', image: 'a', initContainer: true, environment: { B: '2', A: '1' } },
      {
        ...{ name: 'main', image: 'b', entrypoint: ['sh'], command: ['-c'], capAdd: ['NET_ADMIN'], readOnly: true },
        livenessProbe: { path: '/', port: 80, scheme: 'HTTP' },
        readinessProbe: { tcp: true, port: 80 },
        environmentFrom: [
          { source: 'secret', sourceName: 's' },
          { source: 'field', sourceName: 'status.podIP', targetKey: 'IP' },
        ],
      },
    ],
    deploymentConfig: { strategy: 'Recreate' },
    scheduling: { node: { requireAny: ['disk = ssd && !old', 'disk = nvme'], requireAll: ['arch in (a, b)'] } },
    workloadLabels: { of: 'object' },
    labels: { of: 'pods' },
    scale: 2,
  };
  const { metadata, spec } = fromLiveV3(type, said, 'ns') as unknown as { metadata: V3Data; spec: V3Data };
  const template = spec['template'] as { metadata: V3Data; spec: V3Data };
  assert.deepEqual(metadata, { labels: { of: 'object' } });
  assert.deepEqual(template.metadata, { labels: { of: 'pods' } });
  assert.deepEqual([spec['replicas'], spec['strategy']], [2, { type: 'Recreate' }]);
  const [first, main] = [template.spec['initContainers'], template.spec['containers']] as V3Data[][];
  assert.deepEqual(first![0]!['env'], [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ]);
  assert.deepEqual(main, [
    {
      ...{ name: 'main', image: 'b', command: ['sh'], args: ['-c'] },
      env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      envFrom: [{ secretRef: { name: 's' } }],
      livenessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' } },
      readinessProbe: { tcpSocket: { port: 80 } },
      securityContext: { capabilities: { add: ['NET_ADMIN'] }, readOnlyRootFilesystem: true },
    },
  ]);
  const arch = { key: 'arch', operator: 'In', values: ['a', 'b'] };
  const terms = [
    {
      matchExpressions: [
        arch,
        { key: 'disk', operator: 'In', values: ['ssd'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    },
    { matchExpressions: [arch, { key: 'disk', operator: 'In', values: ['nvme'] }] },
  ];
  assert.deepEqual(template.spec['affinity'], {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  });
});

test('an update keeps what v3 has no word for, and takes out what the client took out', () => {
  const type = liveTypes.find(({ id }) => id === 'deployment')!;
  const podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] };
  const seLinuxOptions = { level: 's0' };
  const old = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'one', namespace: 'ns', uid: 'u', resourceVersion: '7', finalizers: ['x'] },
    spec: {
      replicas: 1,
      paused: true,
      futureField: { kept: true },
      template: {
        metadata: { labels: { app: 'one' }, futureLabel: 1 },
        spec: {
          affinity: { podAffinity },
          containers: [
            { name: 'a', image: 'a', workingDir: '/', securityContext: { seLinuxOptions, runAsUser: 5 } },
            { name: 'b', image: 'b', securityContext: { seLinuxOptions } },
          ],
        },
      },
    },
    status: { replicas: 1 },
  } as unknown as LiveObject;
  const seen = toLiveV3(type, old);
  const [a] = seen['containers'] as V3Data[];
  const { workingDir: _, ...rest } = a!;
  const { paused: __, ...others } = seen;
  const said = { ...others, scale: 3, containers: [{ ...rest, image: 'c' }] };
  const next = graft(fromLiveV3(type, said, 'ns'), old, fromLiveV3(type, seen, 'ns')) as LiveObject;
  const spec = next.spec as V3Data;
  assert.equal(next.metadata.resourceVersion, '7');
  assert.deepEqual(next.metadata.finalizers, ['x']);
  assert.deepEqual(next['status'], { replicas: 1 });
  assert.deepEqual([spec['replicas'], spec['paused'], spec['futureField']], [3, undefined, { kept: true }]);
  const template = spec['template'] as { metadata: V3Data; spec: V3Data };
  assert.deepEqual(template.metadata, { labels: { app: 'one' }, futureLabel: 1 });
  assert.deepEqual(template.spec['affinity'], { podAffinity });
  const containers = template.spec['containers'] as V3Data[];
  assert.equal(containers.length, 1);
  const { image, workingDir, securityContext } = containers[0]!;
  assert.deepEqual([image, workingDir, securityContext], ['c', undefined, { seLinuxOptions, runAsUser: 5 }]);
});

test('ids name the namespace, and a kind where kinds share a collection', () => {
  const [deployment, claim, volume] = ['deployment', 'persistentVolumeClaim', 'persistentVolume'].map(
    id => liveTypes.find(type => type.id === id)!,
  );
  assert.deepEqual(parseLiveId(deployment!, 'deployment:ns:web'), { namespace: 'ns', name: 'web' });
  assert.deepEqual(parseLiveId(deployment!, 'ns:web'), { namespace: 'ns', name: 'web' });
  assert.deepEqual(parseLiveId(claim!, 'ns:data'), { namespace: 'ns', name: 'data' });
  assert.deepEqual(parseLiveId(volume!, 'pv-1'), { name: 'pv-1' });
  for (const wrong of ['web', 'a:b:c:d', ':web', 'ns:', 'ns:a/b'])
    assert.equal(parseLiveId(deployment!, wrong), undefined, wrong);
});
