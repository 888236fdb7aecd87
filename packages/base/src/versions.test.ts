/** Versions as they follow each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from './versions.ts';

test('versions are in their order, not in that of their letters', () => {
  assert.ok(compareVersions('v1.36.10', 'v1.36.9') > 0);
  assert.ok(compareVersions('v1.9.0', 'v1.36.3') < 0);
});

test('versions go forward', () => {
  for (const [version, than, expected] of [
    ['0.1.0', 'v0.2.0', true],
    ['v0.9.9', '0.10.0', true],
    ['0.2.0', '0.2.0', false],
    ['1.0.0', 'v0.9.0', false],
    ['next', 'v0.1.0', true],
  ] as const)
    assert.equal(compareVersions(version, than) < 0, expected, `${version} ${than}`);
});
