/** Manifests against a real kube-apiserver: order, definitions waited for, steps told, and deletion the other way. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasReason, isNotFound } from '@drover/base';
import {
  applyManifest,
  configMaps,
  deleteManifest,
  KubeClient,
  type ManifestStep,
  parseManifest,
  waitForObject,
} from '@drover/kube';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer();
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

// In the wrong order on purpose: each document needs the ones after it.
const manifest = `
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: shop}
spec: {size: 3}
---
# a comment alone is no document
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}, data: {a: "1"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: homeless}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`;

function steps() {
  const told: string[] = [];
  const onStep = ({ resource, what, done, total }: ManifestStep) =>
    told.push(`${done}/${total} ${resource.kind} ${resource.metadata.name} ${what}`);
  return { told, onStep };
}

test('a manifest is applied in an order that works, twice without change, and deleted', {
  skip,
  timeout: 60_000,
}, async () => {
  const resources = await parseManifest(manifest);
  const first = steps();
  await applyManifest(client, resources, { fieldManager: 'test', onStep: first.onStep });
  assert.deepEqual(first.told, [
    '1/5 Namespace shop created',
    '2/5 CustomResourceDefinition widgets.example.com created',
    '2/5 CustomResourceDefinition widgets.example.com established',
    '3/5 ConfigMap settings created',
    '4/5 ConfigMap homeless created',
    '5/5 Widget w created',
  ]);
  await client.get(configMaps, 'homeless', { namespace: 'default' });
  const second = steps();
  const changed = await parseManifest(manifest.replace('size: 3', 'size: 4'));
  await applyManifest(client, changed, { fieldManager: 'test', onStep: second.onStep });
  assert.deepEqual(
    second.told.filter(step => !step.endsWith('unchanged') && !step.endsWith('established')),
    ['5/5 Widget w configured'],
  );
  // Without a controller-manager a namespace is never finished off: all but it can be waited for.
  const last = steps();
  const withoutNamespace = resources.filter(({ kind }) => kind !== 'Namespace');
  await deleteManifest(client, withoutNamespace, { wait: true, onStep: last.onStep });
  assert.deepEqual(
    last.told.map(step => step.replace(/^\S+ /, '')),
    [
      'Widget w deleted',
      'ConfigMap homeless deleted',
      'ConfigMap settings deleted',
      'CustomResourceDefinition widgets.example.com deleted',
      'Widget w gone',
      'ConfigMap homeless gone',
      'ConfigMap settings gone',
      'CustomResourceDefinition widgets.example.com gone',
    ],
  );
  const again = steps();
  await deleteManifest(client, withoutNamespace, { onStep: again.onStep });
  assert.ok(again.told.length === 4 && again.told.every(step => step.endsWith('absent')), again.told.join());
});

test('a failure names the resource and keeps its reason', { skip }, async () => {
  const resources = await parseManifest(
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: UPPER}}\n---\n{apiVersion: nope/v1, kind: Gone, metadata: {name: x}}',
  );
  await assert.rejects(applyManifest(client, resources, { fieldManager: 'test' }), error => {
    assert.ok(hasReason(error, 'Invalid'));
    return /^ConfigMap UPPER: /.test(error.message);
  });
  await assert.rejects(applyManifest(client, resources.slice(1), { fieldManager: 'test' }), error => {
    return isNotFound(error) && /^Gone x: kind Gone of "nope\/v1" not found/.test(error.message);
  });
});

test('waiting gives up after its time, naming what it waited for', { skip }, async () => {
  const target = { ref: configMaps, name: 'never', what: 'the map to come' };
  const options = { namespace: 'default', wanted: (object: unknown) => object !== undefined, timeoutMs: 300 };
  await assert.rejects(waitForObject(client, target, options), error => {
    return hasReason(error, 'Timeout') && error.message === 'waited 0.3 s for the map to come';
  });
  const waiting = waitForObject(client, target, { ...options, timeoutMs: 10_000 });
  await client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'never', namespace: 'default' },
  });
  assert.equal((await waiting)?.metadata.name, 'never');
});

const refused: [string, string, RegExp][] = [
  ['bad YAML', 'a: {', /^manifest line 1, column \d+: must be valid YAML/],
  ['text', 'hello', /^document 1: must be a resource/],
  ['no kind', 'a: 1\n---\napiVersion: v1', /^document 1: apiVersion: must be set/],
  ['no name', '{apiVersion: v1, kind: Pod}', /^document 1: metadata.name: must be set/],
  [
    'a bad item',
    '{apiVersion: v1, kind: List, items: [{apiVersion: v1}]}',
    /^document 1: items\[0\]: kind: must be set/,
  ],
];
for (const [what, text, message] of refused) {
  test(`a manifest with ${what} is refused, naming the place`, async () => {
    await assert.rejects(parseManifest(text), error => hasReason(error, 'Invalid') && message.test(error.message));
  });
}
