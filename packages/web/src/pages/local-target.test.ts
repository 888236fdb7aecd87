/** Where a sign-in leads: a page of our own, or home. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTarget } from './local-target.ts';

test('a sign-in leads back to the page that asked for it', () => {
  assert.equal(localTarget('/c/local/pods?q=a'), '/c/local/pods?q=a');
});

for (const to of [
  null,
  '',
  '//evil.example',
  '/\\evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '/a\\b',
  '/a\nb',
  '/sign-in?to=x',
])
  test(`${JSON.stringify(to)} leads home`, () => assert.equal(localTarget(to), '/'));
