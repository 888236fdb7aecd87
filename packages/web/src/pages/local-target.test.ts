/** Where a sign-in leads: a page of our own, or home. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTarget, redirectOf } from './local-target.ts';

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

test('a provider elsewhere is begun at this server, and leads back to the page', () => {
  assert.equal(
    redirectOf('https://other.name/v1-auth/keycloakoidc', '/c/local/pods?q=a'),
    '/v1-auth/keycloakoidc?returnTo=%2Fui%2Fc%2Flocal%2Fpods%3Fq%3Da',
  );
  assert.equal(redirectOf('https://a/v1-auth/github', '//evil.example'), '/v1-auth/github?returnTo=%2Fui%2F');
  assert.equal(redirectOf(undefined, '/'), undefined);
});
