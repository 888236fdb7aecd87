/** That the judge of a load sees what it is there for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Line } from './api-load.ts';

const at = (lines: readonly Omit<Line, 'at'>[]): Line[] => lines.map((line, index) => ({ at: index * 100, ...line }));

test('a write that was acknowledged and is not there is found, and one that may have come through is not', () => {
  const lines = at([
    { ack: 'a', value: 1 },
    { read: 'a', value: 1 },
    { ack: 'a', value: 2, error: 'EOF' },
    { read: 'a', value: 2 },
    { ack: 'a', value: 3 },
    { read: 'a', value: 2 },
    { read: 'a', error: 'EOF' },
    { read: 'a', value: 4 },
  ]);
  const { lost, acknowledged } = judge(lines);
  assert.deepEqual([lost, acknowledged], [['a is 2 after 3 was acknowledged', 'a is 4 after 3 was acknowledged'], 2]);
});

test('errors are counted, and the longest time without an answer', () => {
  const lines: Line[] = [
    { at: 0, get: 'default', ms: 1 },
    { at: 100, get: 'default', ms: 1 },
    { at: 200, get: 'default', error: 'refused' },
    { at: 400, get: 'default', ms: 1 },
  ];
  const { gets, errors, longestGapMs } = judge(lines);
  assert.deepEqual([gets, errors, longestGapMs], [4, ['refused'], 300]);
});
