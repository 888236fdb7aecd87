/** What is shown before the server answers is what the patch will make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../net/objects.ts';
import { actions, fitsKind } from './actions.ts';
import { mergePatch } from './merge-patch.ts';

test('a merge patch changes what it names, takes out what it nulls, and leaves its target alone', () => {
  const before = { spec: { replicas: 1, paused: true, list: [1, 2] }, status: { x: 1 } };
  assert.deepEqual(mergePatch(before, { spec: { replicas: 3, paused: null, list: [3] } }), {
    spec: { replicas: 3, list: [3] },
    status: { x: 1 },
  });
  assert.equal(before.spec.replicas, 1);
});

test('what an action can take back leaves the object as it was', () => {
  for (const action of actions) {
    if (!action.change || !action.back || !action.kinds) continue;
    for (const kind of action.kinds) {
      const state = (value: boolean) => ({ kind, spec: { paused: value, suspend: value, unschedulable: value } });
      for (const object of [state(false), state(true)] as unknown as KubeObject[]) {
        if (!action.when?.(object)) continue;
        const there: KubeObject = mergePatch(object, action.change(object));
        assert.notDeepEqual(there, object, action.name);
        assert.deepEqual(mergePatch(there, action.back(object)), object, action.name);
      }
    }
  }
});

test('kinds are offered what fits them', () => {
  const names = (kind: string) => actions.filter(action => fitsKind(action, kind)).map(({ name }) => name);
  assert.deepEqual(names('ConfigMap'), ['remove']);
  assert.ok(names('Deployment').includes('restart') && names('Node').includes('cordon'));
});
