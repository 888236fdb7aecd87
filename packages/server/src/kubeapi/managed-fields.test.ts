/** Who has set which fields: conflicts, sharing, giving up, and that a field set goes over the wire and back unchanged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { types } from '@drover/api';
import fc from 'fast-check';
import { decodeFields, encodeFields } from './field-set.ts';
import { type Applying, applyObject, trackUpdate } from './managed-fields.ts';
import type { Json } from './shape.ts';

const declaration = types.cluster;
const now = '2026-01-01T00:00:00Z';
const by = (name: string, force = false): Applying => ({
  declaration,
  manager: { name, operation: 'Apply' },
  now,
  force,
});
const cluster = (spec: Json, metadata: Json = {}): Json => ({ metadata, spec });
const managers = ({ metadata }: Json) => ((metadata as Json)['managedFields'] as Json[]).map(one => one['manager']);

test('an applied value that another manager has set otherwise is a conflict that names the field and him', () => {
  const live = applyObject(undefined, cluster({ description: 'a', displayName: 'x' }), by('one'));
  const apply = () => applyObject(live, cluster({ description: 'b' }), by('two'));
  assert.throws(apply, {
    status: 409,
    reason: 'Conflict',
    message: /conflict with "one" using .*: \.spec\.description/,
  });
});

test('with force the field changes hands; without another opinion it is shared', () => {
  const live = applyObject(undefined, cluster({ description: 'a', displayName: 'x' }), by('one'));
  const forced = applyObject(live, cluster({ description: 'b' }), by('two', true));
  assert.deepEqual(forced['spec'], { description: 'b', displayName: 'x' });
  assert.throws(() => applyObject(forced, cluster({ description: 'a', displayName: 'x' }), by('one')), { status: 409 });
  const shared = applyObject(live, cluster({ description: 'a' }), by('two'));
  assert.deepEqual(managers(shared), ['one', 'two']);
});

test('what a manager applies no more goes, unless somebody else has it too', () => {
  const first = applyObject(undefined, cluster({ description: 'a', displayName: 'x' }), by('one'));
  const both = applyObject(first, cluster({ displayName: 'x' }), by('two'));
  const left = applyObject(both, cluster({}, { labels: { team: 'a' } }), by('one'));
  assert.deepEqual(left['spec'], { displayName: 'x' });
  assert.deepEqual((left['metadata'] as Json)['labels'], { team: 'a' });
});

test('an update takes what it changes from whoever had it, and no more', () => {
  const live = applyObject(undefined, cluster({ description: 'a', displayName: 'x' }), by('one'));
  const next = { ...live, spec: { description: 'b', displayName: 'x' } };
  const manager = { name: 'kubectl-edit', operation: 'Update' } as const;
  const tracked = trackUpdate(live, next, { declaration, manager, now });
  assert.deepEqual(
    tracked.map(one => [one['manager'], one['fieldsV1']]),
    [
      ['one', { 'f:spec': { 'f:displayName': {} } }],
      ['kubectl-edit', { 'f:spec': { 'f:description': {} } }],
    ],
  );
});

test('those who updated long ago are put together, so that their number has a bound', () => {
  let object: Json = cluster({});
  for (let i = 0; i < 30; i++) {
    const next = { ...object, metadata: { ...(object['metadata'] as Json), labels: { [`l${i}`]: 'x' } } };
    const manager = { name: `m${i}`, operation: 'Update' } as const;
    const labels = { ...((object['metadata'] as Json)['labels'] as Json), [`l${i}`]: 'x' };
    const whole = { ...next, metadata: { ...next.metadata, labels } };
    object = {
      ...whole,
      metadata: { ...whole.metadata, managedFields: trackUpdate(object, whole, { declaration, manager, now }) },
    };
  }
  assert.ok(managers(object).length <= 11);
  assert.ok(managers(object).includes('ancient-changes'));
});

test('finalizers are a set: each manager has his own', () => {
  const one = applyObject(undefined, cluster({}, { finalizers: ['a/1'] }), by('one'));
  const two = applyObject(one, cluster({}, { finalizers: ['b/2'] }), by('two'));
  assert.deepEqual((two['metadata'] as Json)['finalizers'], ['a/1', 'b/2']);
  const left = applyObject(two, cluster({}, {}), by('one'));
  assert.deepEqual((left['metadata'] as Json)['finalizers'], ['b/2']);
});

test('a field set is the same after it went over the wire', () => {
  const part = fc.constantFrom('f:a', 'f:b.c/d', 'f:é', 'v:"x"', 'k:{"uid":"1"}');
  fc.assert(
    fc.property(fc.array(fc.array(part, { minLength: 3, maxLength: 3 }), { maxLength: 20 }), list => {
      const paths = new Set(list.map(path => JSON.stringify(path)));
      assert.deepEqual([...decodeFields(encodeFields(paths))].sort(), [...paths].sort());
    }),
  );
});

test('managedFields that are none are refused, whatever they hold', () => {
  const odd: unknown[] = ['x', 5, { 'f:a': 'x' }, { a: {} }, JSON.parse('{"__proto__": {}}')];
  for (const one of odd) assert.throws(() => decodeFields(one), { status: 400 });
});
