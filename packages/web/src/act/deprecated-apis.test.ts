/** Which deprecated APIs are gone in a version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGoneIn } from './deprecated-apis.ts';

test('an API is gone from the version that removes it, and from later ones', () => {
  const gone = (version: string) =>
    ['1.9', '1.25', ''].map(removedIn => isGoneIn({ apiVersion: 'v1', resource: 'x', removedIn }, version));
  assert.deepEqual(gone('v1.24.17'), [true, false, false]);
  assert.deepEqual(gone('v1.25.0'), [true, true, false]);
  assert.deepEqual(gone('v1.36.3-custom.1'), [true, true, false]);
  assert.deepEqual(gone(''), [false, false, false]);
});
