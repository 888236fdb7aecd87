/** What is being written is known from the lines above, however far it has come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeIn } from './yaml-path.ts';

const text = `apiVersion: apps/v1
kind: Deployment
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: a
        image: x
        env:
          - name: B
            |
      - ima
  par`;

const at = (marked: string) => placeIn(marked.replace('|', ''), marked.indexOf('|'));

const cases: readonly (readonly [string, object])[] = [
  ['ki|', { path: [], word: 'ki' }],
  ['spec:\n  rep|', { path: ['spec'], word: 'rep' }],
  ['spec:\n  replicas: 1\n  |', { path: ['spec'], word: '' }],
  ['spec:\n  containers:\n  - na|', { path: ['spec', 'containers', '[]'], word: 'na' }],
  ['spec:\n  containers:\n    - name: a\n      im|', { path: ['spec', 'containers', '[]'], word: 'im' }],
  ['spec:\n  type: Clu|', { path: ['spec'], valueKey: 'type', word: 'Clu' }],
  ['a:\n  b:\n    c: 1\nspec:\n  x|', { path: ['spec'], word: 'x' }],
  ['a: 1\n---\nb:\n  c|', { path: ['b'], word: 'c' }],
];
for (const [marked, place] of cases) test(`in ${JSON.stringify(marked)}`, () => assert.deepEqual(at(marked), place));

test('deep within lists of lists', () => {
  assert.deepEqual(at(text).path, ['spec', 'template', 'spec', 'containers', '[]', 'env', '[]']);
  const item = text.replace('|', '').indexOf('- ima') + 5;
  assert.deepEqual(placeIn(text.replace('|', ''), item).path, ['spec', 'template', 'spec', 'containers', '[]']);
  assert.deepEqual(placeIn(text.replace('|', ''), text.length - 1).path, ['spec']);
});
