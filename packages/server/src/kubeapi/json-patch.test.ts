/** JSON patches: what RFC 6902 says of each operation, and that no patch reaches beyond its document. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonPatch } from './json-patch.ts';

const document = { a: { 'b/c': 1, list: [1, 2] } };

test('each operation does what it says, on the result of the one before', () => {
  const table: [object[], unknown][] = [
    [[{ op: 'add', path: '/a/x', value: 1 }], { a: { 'b/c': 1, list: [1, 2], x: 1 } }],
    [[{ op: 'add', path: '/a/list/1', value: 9 }], { a: { 'b/c': 1, list: [1, 9, 2] } }],
    [[{ op: 'add', path: '/a/list/-', value: 9 }], { a: { 'b/c': 1, list: [1, 2, 9] } }],
    [[{ op: 'replace', path: '/a/b~1c', value: 2 }], { a: { 'b/c': 2, list: [1, 2] } }],
    [[{ op: 'remove', path: '/a/list/0' }], { a: { 'b/c': 1, list: [2] } }],
    [[{ op: 'move', from: '/a/list', path: '/l' }], { a: { 'b/c': 1 }, l: [1, 2] }],
    [[{ op: 'copy', from: '/a/list/0', path: '/n' }], { ...document, n: 1 }],
    [
      [
        { op: 'test', path: '/a/list', value: [1, 2] },
        { op: 'remove', path: '/a' },
      ],
      {},
    ],
    [[{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
  ];
  for (const [patch, wanted] of table) assert.deepEqual(jsonPatch(document, patch), wanted, JSON.stringify(patch));
  assert.deepEqual(document, { a: { 'b/c': 1, list: [1, 2] } });
});

test('a patch that does not fit is Invalid, and what is no patch is a bad request', () => {
  const misfits = [
    { op: 'remove', path: '/no' },
    { op: 'replace', path: '/a/no', value: 1 },
    { op: 'add', path: '/a/list/7', value: 1 },
    { op: 'add', path: '/no/x', value: 1 },
    { op: 'test', path: '/a/b~1c', value: 2 },
    { op: 'remove', path: '/a/list/-' },
    { op: 'remove', path: '/a/constructor' },
  ];
  for (const one of misfits) assert.throws(() => jsonPatch(document, [one]), { status: 422 }, JSON.stringify(one));
  const odd: unknown[] = [
    {},
    [1],
    [{ op: 'no', path: '/a' }],
    [{ op: 'add', path: 'a' }],
    [{ op: 'add', path: '/__proto__/x', value: 1 }],
  ];
  for (const one of odd) assert.throws(() => jsonPatch(document, one), { status: 400 }, JSON.stringify(one));
  const doubling = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '', path: `/x${i}` }));
  assert.throws(() => jsonPatch(document, doubling), { status: 413 });
  assert.equal(({} as { x?: number }).x, undefined);
});
