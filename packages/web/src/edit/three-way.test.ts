/** What both sides wanted is there, and only what they both changed is asked about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeThree } from './three-way.ts';

const base = {
  spec: {
    replicas: 1,
    paused: false,
    list: [1],
    containers: [
      { name: 'a', image: 'x:1' },
      { name: 'b', image: 'y:1' },
    ],
  },
};

test('changes of different things fit together', () => {
  const theirs = structuredClone(base);
  const mine = structuredClone(base);
  theirs.spec.replicas = 3;
  theirs.spec.containers[0]!.image = 'x:2';
  mine.spec.paused = true;
  mine.spec.containers[1]!.image = 'y:2';
  const { value, clashes } = mergeThree(base, theirs, mine);
  assert.deepEqual(clashes, []);
  assert.deepEqual(value, {
    spec: {
      replicas: 3,
      paused: true,
      list: [1],
      containers: [
        { name: 'a', image: 'x:2' },
        { name: 'b', image: 'y:2' },
      ],
    },
  });
});

test('what both changed is a clash, decided by whoever is asked', () => {
  const theirs = { ...base, spec: { ...base.spec, replicas: 3, list: [1, 2] } };
  const mine = { ...base, spec: { ...base.spec, replicas: 5, list: [1, 3] } };
  const { value, clashes } = mergeThree(base, theirs, mine, new Map([['spec.replicas', 'mine']]));
  assert.deepEqual(
    clashes.map(({ path, theirs: there, mine: here }) => [path.join('.'), there, here]),
    [
      ['spec.replicas', 3, 5],
      ['spec.list', [1, 2], [1, 3]],
    ],
  );
  assert.equal((value as typeof base).spec.replicas, 5);
  assert.deepEqual((value as typeof base).spec.list, [1, 2]);
});

test('what one side took out and the other left alone is gone', () => {
  const { value, clashes } = mergeThree({ a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 });
  assert.deepEqual([value, clashes], [{ a: 1, c: 3 }, []]);
  assert.equal(mergeThree({ a: 1 }, {}, { a: 2 }).clashes.length, 1);
});
