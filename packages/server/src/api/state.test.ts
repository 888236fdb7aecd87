/** The state of a resource, from its conditions: one line for each rule of the table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '@drover/base';
import { stateOf } from './state.ts';

const condition = (type: string, status: 'True' | 'False' | 'Unknown', more: Partial<Condition> = {}) =>
  ({ type, status, ...more }) as Condition;
const withConditions = (...conditions: Condition[]) =>
  stateOf({ apiVersion: 'x/v3', kind: 'X', metadata: { name: 'x' }, status: { conditions } } as never);
const gone = (finalizers: string[], ...conditions: Condition[]) =>
  stateOf({
    apiVersion: 'x/v3',
    kind: 'X',
    metadata: { name: 'x', finalizers, deletionTimestamp: '2026-01-01T00:00:00Z' },
    status: { conditions },
  } as never);

test('without conditions, or with all of them true, a resource is active', () => {
  const active = { state: 'active', transitioning: 'no', transitioningMessage: '' };
  assert.deepEqual(withConditions(), active);
  assert.deepEqual(withConditions(condition('Ready', 'True'), condition('Provisioned', 'True')), active);
});

test('a step under way is a transition, a step that failed is an error in the same state', () => {
  const seen = (type: string, status: 'False' | 'Unknown') => {
    const { state, transitioning } = withConditions(condition(type, status));
    return [state, transitioning];
  };
  assert.deepEqual(seen('Provisioned', 'Unknown'), ['provisioning', 'yes']);
  assert.deepEqual(seen('Provisioned', 'False'), ['provisioning', 'error']);
  assert.deepEqual(seen('Waiting', 'Unknown'), ['waiting', 'yes']);
  assert.deepEqual(seen('InitialRolesPopulated', 'Unknown'), ['activating', 'yes']);
});

test('what is not ready is waited for; what nobody knows the readiness of has failed', () => {
  assert.equal(withConditions(condition('Ready', 'False')).transitioning, 'yes');
  assert.equal(withConditions(condition('Ready', 'False')).state, 'unavailable');
  assert.equal(withConditions(condition('Ready', 'Unknown')).transitioning, 'error');
});

test('the first sign gives the state, any failure the error, and the messages are joined', () => {
  const state = withConditions(
    condition('Waiting', 'Unknown', { message: 'for the agent' }),
    condition('Updated', 'False', { message: 'no space' }),
  );
  assert.deepEqual(state, {
    state: 'waiting',
    transitioning: 'error',
    transitioningMessage: 'for the agent; no space',
  });
});

test('a reason Error makes any condition a failure', () => {
  assert.deepEqual(withConditions(condition('Anything', 'False', { reason: 'Error', message: 'm' })), {
    state: 'error',
    transitioning: 'error',
    transitioningMessage: 'm',
  });
});

test('conditions that nobody named, whatever they are called, say nothing', () => {
  for (const type of ['NoDiskPressure', 'constructor', 'toString', '__proto__'])
    assert.equal(withConditions(condition(type, 'False')).state, 'active', type);
});

test('a cluster is active no moment before somebody has looked at it', () => {
  const cluster = (...conditions: Condition[]) =>
    stateOf({
      apiVersion: 'management.cattle.io/v3',
      kind: 'Cluster',
      metadata: { name: 'c-a' },
      spec: { rancherKubernetesEngineConfig: {} },
      status: conditions.length === 0 ? undefined : { conditions },
    } as never);
  const unbegun = { state: 'provisioning', transitioning: 'yes', transitioningMessage: 'waiting to be looked at' };
  assert.deepEqual(cluster(), unbegun);
  assert.deepEqual(cluster(condition('DefaultProjectCreated', 'True')), unbegun);
  const missing = condition('Provisioned', 'Unknown', { message: 'waiting for a host' });
  assert.equal(cluster(missing).transitioningMessage, 'waiting for a host');
  assert.equal(cluster(condition('Provisioned', 'True')).state, 'active');
});

test('a resource that is being removed says what it waits for, before all else', () => {
  assert.deepEqual(gone(['controller.cattle.io/x'], condition('Ready', 'False')), {
    state: 'removing',
    transitioning: 'yes',
    transitioningMessage: 'waiting on controller.cattle.io/x',
  });
  assert.equal(gone([], condition('Removed', 'Unknown', { message: 'draining' })).transitioningMessage, 'draining');
});
