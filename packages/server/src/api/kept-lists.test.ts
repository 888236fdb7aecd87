/** Lists kept for a walk through their pages: good until something changes, bounded, and read by whoever uses them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectReads, noteRead } from '../resources/index.ts';
import { KeptLists } from './kept-lists.ts';

function counted(source: { changes: number }, size = 1) {
  let made = 0;
  return () => {
    noteRead(source);
    return { rows: ++made, size };
  };
}

test('a list is made once, and again when something that it was made of has changed', () => {
  const lists = new KeptLists<number>();
  const source = { changes: 0 };
  const make = counted(source);
  assert.deepEqual([lists.of('a', make), lists.of('a', make)], [1, 1]);
  source.changes++;
  assert.deepEqual([lists.of('a', make), lists.of('a', make)], [2, 2]);
  assert.equal(lists.size, 1);
});

test('what it was made of counts as read, by who made it and by who found it', () => {
  const lists = new KeptLists<number>();
  const source = { changes: 0 };
  const make = counted(source);
  const both = [1, 2].map(() => collectReads(() => lists.of('a', make)).reads);
  assert.deepEqual(
    both.map(reads => reads.areUnchanged),
    [true, true],
  );
  source.changes++;
  assert.deepEqual(
    both.map(reads => reads.areUnchanged),
    [false, false],
  );
});

test('rows are bounded: the list that was not used longest goes first, and one that is too long is not kept', () => {
  const lists = new KeptLists<number>(10);
  const source = { changes: 0 };
  const [a, b, c, long] = [counted(source, 4), counted(source, 4), counted(source, 4), counted(source, 11)];
  lists.of('a', a);
  lists.of('b', b);
  lists.of('a', a);
  lists.of('c', c);
  assert.equal(lists.size, 8);
  assert.deepEqual([lists.of('a', a), lists.of('b', b)], [1, 2]);
  assert.deepEqual([lists.of('long', long), lists.of('long', long)], [1, 2]);
});
