/** A host that waits for its certificates is named with the cause, and makes no state of the cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setCondition } from '@drover/base';
import { stateOf } from '../api/state.ts';
import { renewedBy } from './told-conditions.ts';

test('hosts that were left out of a renewal are named, and the cluster is active all the same', () => {
  const left = renewedBy(
    new Map([
      ['host-3', 'its agent is not connected'],
      ['host-2', 'nothing listens'],
    ]),
  );
  assert.deepEqual([left.status, left.reason], ['False', 'HostsAway']);
  assert.match(left.message ?? '', /: host-2 \(nothing listens\), host-3 \(its agent is not connected\); /);
  const made = setCondition(undefined, { type: 'Provisioned', status: 'True' });
  const state = (conditions: typeof made) =>
    stateOf({ apiVersion: '', kind: 'Cluster', metadata: { name: 'c-a' }, status: { conditions } }).state;
  const told = setCondition(made, left);
  assert.equal(state(told), 'active');
  const caughtUp = setCondition(told, renewedBy(new Map()));
  assert.deepEqual(caughtUp.at(-1)?.status, 'True');
  assert.equal(state(caughtUp), 'active');
});
