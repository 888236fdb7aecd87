/** What a PUT keeps, replaces and takes out, and which labels are not the client's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fields } from '@drover/api';
import { mergeLabels, mergeStructs } from './merge.ts';

const fields: Fields = {
  name: { type: 'string' },
  list: { type: 'array[string]' },
  map: { type: 'map[string]' },
  deep: { type: 'deep', of: { a: { type: 'int' }, b: { type: 'int' } } },
  fixed: { type: 'string', update: false },
  hash: { type: 'string', secret: true },
};
const old = { name: 'n', list: ['a'], map: { x: '1', y: '2' }, deep: { a: 1, b: 2 }, fixed: 'f', hash: 'h' };
const merge = (change: object, replace = false) => mergeStructs(old, change as never, { fields, replace });

test('what is not sent stays', () => assert.deepEqual(merge({}), old));

test('values, lists and plain maps are replaced, structs merged', () => {
  assert.deepEqual(merge({ list: ['b'], map: { z: '3' }, deep: { b: 5 } }), {
    ...old,
    list: ['b'],
    map: { z: '3' },
    deep: { a: 1, b: 5 },
  });
});

test('null takes a value, and a struct, out', () => assert.equal(merge({ deep: null })['deep'], null));

test('replacing drops what a client may set and did not, never what is the server’s', () => {
  const out = merge({ name: 'm', deep: { a: 3 } }, true);
  assert.deepEqual(JSON.parse(JSON.stringify(out)), { name: 'm', deep: { a: 3 }, fixed: 'f', hash: 'h' });
});

const system = { 'cattle.io/creator': 'norman', 'field.cattle.io/creatorId': 'u-a', 'authz.cattle.io/x': '1' };

test('labels that are not sent stay', () => assert.deepEqual(mergeLabels({ a: '1' }, undefined), { a: '1' }));

test('labels that are sent replace the client’s, and leave the system’s alone', () => {
  const sent = { b: '2', 'cattle.io/creator': 'me', 'authz.cattle.io/x': '2', 'lifecycle.cattle.io/new': '1' };
  assert.deepEqual(mergeLabels({ ...system, a: '1' }, sent), { ...system, b: '2' });
});

test('field.cattle.io can be set but not left out, and its creator not set either', () => {
  const before = { ...system, 'field.cattle.io/projectId': 'p' };
  assert.deepEqual(mergeLabels(before, {}), before);
  assert.equal(mergeLabels(before, { 'field.cattle.io/projectId': 'q' })!['field.cattle.io/projectId'], 'q');
  assert.equal(mergeLabels(before, { 'field.cattle.io/creatorId': 'u-evil' })!['field.cattle.io/creatorId'], 'u-a');
});
