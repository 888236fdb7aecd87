/** What a controller has done in a cluster holds for its time, for that thing, over that client; nothing else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '@drover/kube';
import { DoneInside } from './done-inside.ts';

const [one, other] = [{} as KubeClient, {} as KubeClient];

test('what was done holds for its time, for that thing and over that client alone', t => {
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  const done = new DoneInside();
  assert.equal(done.restMs('c-1', one, 'a'), 0);
  done.note('c-1', { over: one, what: 'a', forMs: 60 });
  nowMs += 20;
  assert.equal(done.restMs('c-1', one, 'a'), 40);
  assert.equal(done.restMs('c-1', one, 'b'), 0);
  assert.equal(done.restMs('c-1', other, 'a'), 0);
  assert.equal(done.restMs('c-2', one, 'a'), 0);
  nowMs += 60;
  assert.equal(done.restMs('c-1', one, 'a'), 0);
});

test('what was forgotten is done anew', () => {
  const done = new DoneInside();
  done.note('c-1', { over: one, forMs: 60_000 });
  assert.ok(done.restMs('c-1', one) > 0);
  done.forget('c-1');
  assert.equal(done.restMs('c-1', one), 0);
});
