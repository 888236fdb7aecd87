/** The look of a cluster is what its annotations say, as far as they say something that can be shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookOf, withLook } from './cluster-look.ts';

const metadata = (annotations?: Record<string, string>) => ({ metadata: { name: 'c-1', annotations } });

test('what is no colour is none, and texts are short', () => {
  assert.deepEqual(lookOf(metadata()), { banner: '', group: '' });
  const strange = { 'drover.io/colour': 'red;}', 'drover.io/banner': 'x'.repeat(900), 'drover.io/group': 'shops' };
  assert.deepEqual(lookOf(metadata(strange)), { banner: 'x'.repeat(120), group: 'shops' });
  assert.equal(lookOf(metadata({ 'drover.io/colour': 'red' })).hue, 'red');
});

test('what is emptied goes, and what others wrote stays', () => {
  const before = { 'field.cattle.io/creatorId': 'u-1', empty: '', 'drover.io/banner': 'Production' };
  assert.deepEqual(withLook(before, { hue: 'red', banner: ' ', group: '' }), {
    'field.cattle.io/creatorId': 'u-1',
    empty: '',
    'drover.io/colour': 'red',
  });
});
