/** Objects as YAML: as the cluster has them, and back with nothing lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../net/objects.ts';
import { podFilters } from './related.ts';
import { plainObject, readYaml, toYaml, withRevision } from './yaml.ts';

const secret = {
  id: 'shop/db',
  type: 'secret',
  links: { self: 'x' },
  apiVersion: 'v1',
  kind: 'Secret',
  _type: 'Opaque',
  metadata: {
    name: 'db',
    namespace: 'shop',
    resourceVersion: '7',
    fields: ['db'],
    state: { name: 'active' },
    relationships: [],
  },
  data: { password: 'aHVudGVyMg==' },
  status: {
    conditions: [
      { type: 'A', status: 'True', error: false, transitioning: false, lastUpdateTime: 'x', lastTransitionTime: 'x' },
    ],
  },
} as unknown as KubeObject;

test('what only this API adds is left out, and a field that it renamed has its name again', () => {
  assert.deepEqual(plainObject(secret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', namespace: 'shop', resourceVersion: '7' },
    type: 'Opaque',
    data: { password: 'aHVudGVyMg==' },
    status: { conditions: [{ type: 'A', status: 'True', lastTransitionTime: 'x' }] },
  });
});

test('what is written is read again as it was', () => {
  const value = {
    a: '1',
    on: 'yes',
    multi: 'one\ntwo\n',
    nothing: null,
    list: [{ b: 1 }],
    time: '2026-01-01T00:00:00Z',
    octal: '010',
  };
  assert.deepEqual(readYaml(toYaml(value)).value, value);
});

test('what is no object is refused with its line', () => {
  assert.match(readYaml('a: [1').fault ?? '', /line 1/);
  assert.equal(readYaml('- a').value, undefined);
  assert.ok(readYaml('').fault);
});

test('saving over somebody’s change says over which', () => {
  assert.deepEqual(withRevision({ metadata: { name: 'a', resourceVersion: '1' }, b: 1 }, '2'), {
    metadata: { name: 'a', resourceVersion: '2' },
    b: 1,
  });
});

test('pods are found by what selects them', () => {
  const object = (kind: string, spec: unknown) => ({ ...secret, kind, spec }) as KubeObject;
  assert.deepEqual(podFilters(object('Deployment', { selector: { matchLabels: { 'k8s.io/app': 'a' } } })), [
    'metadata.labels[k8s.io/app]="a"',
  ]);
  assert.deepEqual(podFilters(object('Node', {})), ['spec.nodeName="db"']);
  assert.equal(podFilters(object('Service', {})), undefined);
});
