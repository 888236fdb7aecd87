/** Many at once: each has its result, and being stopped leaves the rest alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../net/objects.ts';
import { type Outcome, runBulk } from './bulk.ts';

const objects = ['a', 'b', 'c', 'd', 'e', 'f'].map(id => ({ id }) as KubeObject);

test('what is refused does not keep the others from being done', async () => {
  const outcomes = new Map<string, Outcome>();
  const backs = await runBulk({
    objects,
    signal: new AbortController().signal,
    onOutcome: (id, outcome) => outcomes.set(id, outcome),
    act: async ({ id }) => {
      if (id === 'b') throw new Error('no');
      return async () => id;
    },
  });
  assert.equal([...outcomes.values()].filter(one => one === 'done').length, 5);
  assert.equal((outcomes.get('b') as Error).message, 'no');
  assert.equal(backs.length, 5);
});

test('what is stopped is done for nobody who had not had his turn', async () => {
  const stop = new AbortController();
  const outcomes: Outcome[] = [];
  let done = 0;
  await runBulk({
    objects,
    signal: stop.signal,
    onOutcome: (_, outcome) => outcomes.push(outcome),
    act: async () => {
      done++;
      if (done === 4) stop.abort();
      await Promise.resolve();
      return undefined;
    },
  });
  assert.equal(done, 4);
  assert.equal(outcomes.filter(one => one === 'stopped').length, 2);
});
