/** Counts by key: each by itself, and nothing kept of what has ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from './tally.ts';

test('each key is counted by itself, and one that has none takes no room', () => {
  const tally = new Tally<string>();
  assert.deepEqual([tally.of('a'), tally.add('a'), tally.add('a'), tally.add('b')], [0, 1, 2, 1]);
  assert.deepEqual([tally.of('a'), tally.of('b'), tally.size], [2, 1, 2]);
  assert.deepEqual([tally.remove('a'), tally.of('a'), tally.remove('a'), tally.size], [1, 1, 0, 1]);
  assert.deepEqual([tally.remove('a'), tally.of('a'), tally.size], [0, 0, 1]);
});
