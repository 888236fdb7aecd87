/** Who was away gets all that he missed, or is told how much of it is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputRing } from './output-ring.ts';

test('what was missed is had from where one was', () => {
  const ring = new OutputRing(8);
  ring.add(Buffer.from('abc'));
  ring.add(Buffer.from('def'));
  assert.deepEqual(ring.from(2), { lost: 0, bytes: Buffer.from('cdef') });
  assert.deepEqual(ring.from(6), { lost: 0, bytes: Buffer.alloc(0) });
  ring.add(Buffer.from('ghijk'));
  assert.equal(ring.end, 11);
  assert.deepEqual(ring.from(2), { lost: 1, bytes: Buffer.from('defghijk') });
  ring.add(Buffer.alloc(20, 'x'));
  assert.equal(ring.from(0).bytes.toString(), 'xxxxxxxx');
  assert.equal(ring.from(0).lost, 23);
});
