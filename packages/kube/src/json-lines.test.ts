/** Lines come out whole however their bytes came in, and none may be longer than is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineCutter } from './json-lines.ts';

test('lines are whole wherever they were cut, inside a character too', () => {
  const bytes = Buffer.from('one\n\nzwei ä集\nrest');
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new LineCutter(20);
    const seen: string[] = [];
    for (let at = 0; at < bytes.length; at += size) seen.push(...lines.cut(bytes.subarray(at, at + size)));
    assert.deepEqual(seen, ['one', '', 'zwei ä集'], `${size} at a time`);
  }
});

test('a line that does not end is given up', () => {
  const lines = new LineCutter(8, 'an event');
  assert.deepEqual([...lines.cut(Buffer.from('12345678'))], []);
  assert.throws(() => [...lines.cut(Buffer.from('9'))], /an event is longer than 8 bytes/);
});
