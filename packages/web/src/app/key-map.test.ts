/** Keys can be given to something else, and no key does two things. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldBy, isKey, keyNames, keyOf, keyPressed, keyText, setKey } from './key-map.ts';

const press = (key: string, mod = false) => ({ key, ctrlKey: mod, metaKey: false, altKey: false });

test('a key does what it was given to, and no longer what it did', () => {
  assert.ok(isKey(press('e'), 'edit'));
  setKey('edit', 'x');
  assert.ok(isKey(press('x'), 'edit') && !isKey(press('e'), 'edit'));
  setKey('edit');
  assert.equal(keyOf('edit'), 'e');
});

test('what has a key is named before it is given away', () => {
  assert.equal(heldBy('l', 'edit'), 'logs');
  assert.equal(heldBy('l', 'logs'), undefined);
  assert.equal(new Set(keyNames.map(keyOf)).size, keyNames.length);
});

test('keys are written as people know them', () => {
  assert.equal(keyPressed(press('K', true)), 'Mod+k');
  assert.equal(keyPressed(press('Shift')), undefined);
  assert.equal(keyText('Mod+k', true), '⌘ K');
  assert.equal(keyText('Mod+k', false), 'Ctrl K');
  assert.equal(keyText(' ', false), 'Space');
});
