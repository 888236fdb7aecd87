/** Reads: what counts as read, and when an answer made of it is out of date. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectReads, noteRead, readsOf } from './reads.ts';

test('what was read while the work was done counts, and nothing else', () => {
  const [read, other] = [{ changes: 1 }, { changes: 1 }];
  const { made, reads } = collectReads(() => {
    noteRead(read);
    return 'made';
  });
  noteRead(other);
  other.changes++;
  assert.deepEqual([made, reads.areUnchanged], ['made', true]);
  read.changes++;
  assert.equal(reads.areUnchanged, false);
});

test('what changes after it was first read makes the work out of date, even before the work is done', () => {
  const source = { changes: 1 };
  const { reads } = collectReads(() => {
    noteRead(source);
    source.changes++;
    noteRead(source);
  });
  assert.equal(reads.areUnchanged, false);
});

test('work inside of other work is read by both, and one that throws leaves nothing behind', () => {
  const source = { changes: 1 };
  const { reads } = collectReads(() => {
    assert.throws(() =>
      collectReads(() => {
        noteRead(source);
        throw new Error('no');
      }),
    );
  });
  source.changes++;
  assert.equal(reads.areUnchanged, false);
  const after = { changes: 1 };
  noteRead(after);
  const taken = readsOf([after]);
  after.changes++;
  assert.equal(taken.areUnchanged, false);
});
