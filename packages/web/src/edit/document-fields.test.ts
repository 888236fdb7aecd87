/** A form changes what it is about, and leaves comments and order alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fieldText,
  itemCount,
  mapEntries,
  readDocument,
  withField,
  withItem,
  withKey,
  withoutItem,
} from './document-fields.ts';

const text = `# mine
spec:
  # why three
  replicas: 3 # for now
  zeta: 1
  containers:
    - name: a # the first
      image: "x:1"
data:
  b: "2" # two
  a: one
`;

test('what a form sets stands where it stood, with its comments', () => {
  const changed = withField(withField(text, ['spec', 'replicas'], 5), ['spec', 'containers', 0, 'image'], 'x:2');
  assert.equal(changed, text.replace('replicas: 3', 'replicas: 5').replace('x:1', 'x:2'));
  assert.equal(fieldText(readDocument(changed), ['spec', 'replicas']), '5');
});

test('what is emptied is gone, and what held only that with it', () => {
  const with1 = withField(text, ['spec', 'strategy', 'type'], 'Recreate');
  assert.match(with1, /strategy:\n {4}type: Recreate/);
  assert.equal(withField(with1, ['spec', 'strategy', 'type'], ''), text);
});

test('items and keys come, go and are renamed', () => {
  const two = withItem(text, ['spec', 'containers'], { name: 'b' });
  assert.equal(itemCount(readDocument(two), ['spec', 'containers']), 2);
  assert.equal(withoutItem(two, ['spec', 'containers', 1]), text);
  const renamed = withKey(text, ['data'], 'b', 'c');
  assert.deepEqual(mapEntries(readDocument(renamed), ['data']), [
    ['c', '2'],
    ['a', 'one'],
  ]);
  assert.match(renamed, /c: "2" # two/);
});
