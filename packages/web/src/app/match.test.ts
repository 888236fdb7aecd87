/** The palette finds by letters in their order, and the likelier first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestScore, score } from './match.ts';
import { placeOf } from './place.ts';

test('letters must come in their order', () => {
  assert.ok(score('Deployments', 'dpl') !== undefined);
  assert.equal(score('Deployments', 'lpd'), undefined);
});

test('what begins a word or stands together fits better', () => {
  assert.ok(score('Config maps', 'cm')! > score('Autoscalers mm', 'cm')!);
  assert.ok(score('pods', 'po')! > score('parrot', 'po')!);
  assert.ok(bestScore(['Persistent volumes', 'pv'], 'pv')! > score('Persistent volumes', 'pv')!);
});

test('an address tells the cluster and the page', () => {
  assert.deepEqual(placeOf('/c/c-abc/apps.deployments/shop/web'), { clusterId: 'c-abc', page: 'apps.deployments' });
  assert.deepEqual(placeOf('/users'), {});
});
