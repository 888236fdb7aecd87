/** Keys and their hashes, of each form that was ever written. */
import assert from 'node:assert/strict';
import { hash, scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { hashKey, makeKey, matchesKey } from './token-key.ts';

const key = 'bcdfghjklmnpqrstvwxz2456789bcdfghjklmnpqrstvwxz2456789';

test('a key has 54 characters of the alphabet and is never the same twice', () => {
  const keys = new Set(Array.from({ length: 500 }, makeKey));
  assert.equal(keys.size, 500);
  for (const made of keys) assert.match(made, /^[bcdfghjklmnpqrstvwxz2456789]{54}$/);
});

test('a hash is written as $3 with a salt of its own and does not hold the key', () => {
  const [one, two] = [hashKey(key), hashKey(key)];
  assert.match(one, /^\$3:1:[A-Za-z0-9+/]{11}:[A-Za-z0-9+/]{86}$/);
  assert.notEqual(one, two);
  assert.ok(!one.includes(key));
});

test('$3 is SHA3-512 over the salt and then the key, as other servers check it', () => {
  const salt = Buffer.from('0102030405060708', 'hex');
  const expected = hash('sha3-512', Buffer.concat([salt, Buffer.from(key)]), 'base64').replace(/=+$/, '');
  assert.equal(hashKey(key, salt), `$3:1:AQIDBAUGBwg:${expected}`);
});

const salt = Buffer.from('8-bytes!');
const scrypt = scryptSync(key, salt, 64, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
const forms: [string, string][] = [
  ['$3', hashKey(key)],
  ['$2', `$2:abc:${hash('sha256', `abc${key}`, 'base64').replace(/=+$/, '')}`],
  ['$1', `$1:${salt.toString('hex')}:15:8:1:${scrypt.toString('base64').replace(/=+$/, '')}`],
];
for (const [form, stored] of forms) {
  test(`a ${form} hash matches its key and no other`, async () => {
    assert.equal(await matchesKey(stored, key), true);
    assert.equal(await matchesKey(stored, `${key}2`), false);
    assert.equal(await matchesKey(stored, key.slice(1)), false);
  });
}

test('what is no hash matches nothing: not a plain key, not an empty or cut one, not one with a cost of the attacker', async () => {
  const long = scrypt.toString('base64');
  for (const stored of [
    undefined,
    '',
    key,
    '$3',
    '$3:1::',
    '$3:1:AQ:',
    '$2:abc:',
    '$4:1:a:b',
    `$1:00:30:8:1:${long}`,
  ]) {
    assert.equal(await matchesKey(stored, key), false, `${stored}`);
    assert.equal(await matchesKey(stored, ''), false, `${stored}`);
  }
});
