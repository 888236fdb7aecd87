/** The filter grammar: what dashboards send parses, and what doesn't parse says where; nothing is taken for something else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelOf, parseFilter } from './filter.ts';

const brief = (text: string) => parseFilter(text).map(one => [one.label ?? one.key, one.op, ...one.values]);

test('what a dashboard sends parses', () => {
  assert.deepEqual(brief('metadata.name~web,metadata.namespace!~"a b"'), [
    ['metadata.name', '~', 'web'],
    ['metadata.namespace', '!~', 'a b'],
  ]);
  assert.deepEqual(brief('id IN (fleet-default/a, c)'), [['id', 'in', 'fleet-default/a', 'c']]);
  assert.deepEqual(brief('metadata.labels[k8s.io/arch] NotIn (arm)'), [['k8s.io/arch', 'notin', 'arm']]);
  assert.deepEqual(brief('spec.internal==false'), [['spec.internal', '=', 'false']]);
  assert.deepEqual(brief('metadata.fields[3]>5,a lt 7'), [
    ['metadata.fields[3]', '>', '5'],
    ['a', '<', '7'],
  ]);
  assert.deepEqual(brief('metadata.labels.a, !metadata.labels.b'), [
    ['a', 'exists'],
    ['b', 'absent'],
  ]);
});

test('a quoted value may be empty and carry every sign', () => {
  assert.deepEqual(brief(`a="",b='x,(y)!'`), [
    ['a', '=', ''],
    ['b', '=', 'x,(y)!'],
  ]);
  assert.deepEqual(brief(String.raw`a="\"\\"`), [['a', '=', '"\\']]);
});

test('what does not parse is refused by its field', () => {
  const bad = [
    '',
    'a=',
    'a',
    '!a',
    '!metadata.labels.a=b',
    'a>x',
    'metadata.labels[a] > (1)',
    'a in b',
    'a in (b',
    'a in ()',
    'a=b c=d',
    'a=-b',
    'a="b',
    'a=b,',
    'a like b',
  ];
  for (const text of bad)
    assert.throws(() => parseFilter(text), { status: 422, message: /^filter: at character \d+: / }, text);
});

test('a filter is bounded', () => {
  assert.equal(parseFilter(Array(200).fill('a=b').join()).length, 200);
  assert.throws(() => parseFilter(Array(201).fill('a=b').join()), /at most 200 requirements/);
  assert.throws(() => parseFilter(`a=${'b'.repeat(16_384)}`), /at most 16384 characters/);
});

test('only a field under metadata.labels is a label', () => {
  assert.deepEqual(['metadata.labels.a.b/c', 'metadata.labels[a/b]', 'metadata.labels', 'spec.labels.a'].map(labelOf), [
    'a.b/c',
    'a/b',
    undefined,
    undefined,
  ]);
});
