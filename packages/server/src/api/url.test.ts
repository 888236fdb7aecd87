/** v3's URLs: what each names, where its schemas are, and that no spelling of a path makes it another one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNotFound } from '@drover/base';
import fc from 'fast-check';
import { encodeId, parseV3Path } from './url.ts';

test('a path names its type, id and link', () => {
  assert.deepEqual(parseV3Path('/v3'), { type: undefined, id: undefined, link: undefined, schemasPath: '/v3/schemas' });
  const { type, id, link } = parseV3Path('/v3/tokens/token-x/Derived');
  assert.deepEqual([type, id, link], ['tokens', 'token-x', 'derived']);
});

test('empty segments count for nothing, and one slash at the end neither', () => {
  for (const path of ['/v3/users/u-x', '/v3//users/u-x', '//v3/users//u-x/', '/v3/users/u-x//'])
    assert.deepEqual(parseV3Path(path), parseV3Path('/v3/users/u-x'));
});

test('one cluster is a plain resource whose schemas are its own, in the singular', () => {
  const target = parseV3Path('/v3/clusters/c-abcde');
  assert.deepEqual([target.type, target.id, target.context], ['clusters', 'c-abcde', undefined]);
  assert.equal(target.schemasPath, '/v3/cluster/c-abcde/schemas');
});

test('what stands below a cluster or project is in its context, in the singular and the plural', () => {
  for (const path of ['/v3/cluster/c-a/namespaces/default', '/v3/Clusters/c-a/namespaces/default']) {
    const target = parseV3Path(path);
    assert.deepEqual(target.context, { type: 'cluster', id: 'c-a' });
    assert.deepEqual([target.type, target.id], ['namespaces', 'default']);
  }
  const project = parseV3Path('/v3/projects/c-a:p-b/nodes');
  assert.deepEqual(project.context, { type: 'project', id: 'c-a:p-b' });
  assert.equal(project.schemasPath, '/v3/project/c-a:p-b/schemas');
  assert.deepEqual(parseV3Path('/v3/cluster/c-a').context, { type: 'cluster', id: 'c-a' });
});

test('the collection of all clusters has no context', () => {
  const target = parseV3Path('/v3/clusters');
  assert.deepEqual([target.type, target.context, target.schemasPath], ['clusters', undefined, '/v3/schemas']);
});

test('ids come back from the way they are written in links, whatever is in them', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), id => {
      const { type, id: back, link } = parseV3Path(`/v3/principals/${encodeId(id)}`);
      assert.deepEqual([type, back, link], ['principals', id, undefined]);
    }),
  );
});

test('an id of several parts keeps its colon, a principal is escaped whole', () => {
  assert.equal(encodeId('c-abcde:p-xyz'), 'c-abcde:p-xyz');
  assert.equal(encodeId('local://u-abcde'), 'local%3A%2F%2Fu-abcde');
});

test('an escaped slash stays within its segment', () => {
  const { type, id, link } = parseV3Path('/v3/users/..%2f..%2fsettings');
  assert.deepEqual([type, id, link], ['users', '../../settings', undefined]);
});

test('what is not v3, or no UTF-8, is not found', () => {
  for (const path of ['/', '/v33', '/v1/users', '/V3/users', '/v3/users/%ff', '/v3/users/%zz'])
    assert.throws(() => parseV3Path(path), isNotFound, path);
});
