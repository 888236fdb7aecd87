/** The path of a proxied request: the cluster is exactly one plain segment, all after it goes on untouched. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseProxyPath } from './path.ts';

const prefix = '/k8s/clusters';

test('the rest is passed on as it came', () => {
  const table = [
    ['/k8s/clusters/c-1', 'c-1', '/'],
    ['/k8s/clusters/c-1/', 'c-1', '/'],
    ['/k8s/clusters/local/api/v1//pods/%2e%2e/x', 'local', '/api/v1//pods/%2e%2e/x'],
    ['/k8s/clusters/c-1/../c-2/api', 'c-1', '/../c-2/api'],
  ] as const;
  for (const [path, clusterId, rest] of table) assert.deepEqual(parseProxyPath(path, prefix), { clusterId, rest });
});

test('what is no plain id is no cluster', () => {
  for (const id of ['', '..', '%63-1', 'C-1', 'c-1%00', 'c-1;x', '/c-1', 'c_1', '-c', 'c-1?', 'a'.repeat(64)])
    assert.throws(() => parseProxyPath(`${prefix}/${id}/api`, prefix), { status: 404 });
});

test('no path gives another id than the one that stands there', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (id, rest) => {
      try {
        const parsed = parseProxyPath(`${prefix}/${id}/${rest}`, prefix);
        assert.match(parsed.clusterId, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        assert.equal(`${prefix}/${parsed.clusterId}${parsed.rest}`, `${prefix}/${id}/${rest}`);
      } catch (error) {
        assert.equal((error as { status?: number }).status, 404);
      }
    }),
    { numRuns: 20_000 },
  );
});
