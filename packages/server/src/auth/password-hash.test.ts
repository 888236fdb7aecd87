/** Password hashes of every form, and the gate that they are computed behind. */
import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { hasReason } from '@drover/base';
import bcrypt from 'bcryptjs';
import { Gate } from './gate.ts';
import { hashPassword, needsRehash, verifyPassword } from './password-hash.ts';

const password = 'correct horse ☂ battery';

test('a password is kept as argon2id at today’s cost, with a salt of its own', async () => {
  const [one, two] = await Promise.all([hashPassword(password), hashPassword(password)]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(one, two);
  assert.equal(await verifyPassword(one, password), true);
  assert.equal(await verifyPassword(one, `${password} `), false);
  assert.equal(needsRehash(one), false);
});

test('hashes that other servers wrote are verified, and told to be made anew', async () => {
  const salt = Buffer.alloc(32, 7);
  const key = pbkdf2Sync(password, salt, 1000, 32, 'sha3-512');
  const imported = [
    await bcrypt.hash(password, 4),
    `$pbkdf2-sha3-512$i=1000$${salt.toString('base64')}$${key.toString('base64')}`,
  ];
  for (const stored of imported) {
    assert.equal(await verifyPassword(stored, password), true);
    assert.equal(await verifyPassword(stored, 'another'), false);
    assert.equal(needsRehash(stored), true);
  }
});

test('what is no hash, or costs more than anything we wrote, matches nothing', async () => {
  const bad = ['', password, '$argon2id$', '$argon2id$v=19$m=999999,t=2,p=1$AAAA$AAAA', `$2a$31$${'a'.repeat(53)}`];
  for (const stored of [...bad, '$pbkdf2-sha3-512$i=9999999$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA'])
    assert.equal(await verifyPassword(stored, password), false, stored);
});

test('the gate lets two through, keeps the next in order and turns the rest away', async () => {
  const gate = new Gate({ atOnce: 2, waiting: 2 });
  const open = Promise.withResolvers<void>();
  const order: number[] = [];
  let most = 0;
  let running = 0;
  const work = (id: number) => async () => {
    most = Math.max(most, ++running);
    await open.promise;
    order.push(id);
    running -= 1;
  };
  const all = [1, 2, 3, 4].map(id => gate.run(work(id)));
  await assert.rejects(gate.run(work(5)), error => hasReason(error, 'TooManyRequests'));
  open.resolve();
  await Promise.all(all);
  assert.deepEqual([order, most], [[1, 2, 3, 4], 2]);
  await assert.rejects(
    gate.run(() => Promise.reject(new Error('x'))),
    /x/,
  );
  assert.equal(await gate.run(async () => 'again'), 'again');
});
