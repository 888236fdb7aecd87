/** Secret fields at rest: bound to their place, readable with the right key file only, rotated without a gap. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hasReason } from '@drover/base';
import fc from 'fast-check';
import { FieldCipher, isSealed, rotateSecrets } from './encryption.ts';
import { checkKeyring, formatKeyring, newSecretsKey, openKeyring, parseKeyring } from './keyring.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

const place = { key: 'clusters/c-1', field: 'spec.password' };

async function keyFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'secrets.key');
}

async function openStore(t: TestContext) {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store[Symbol.asyncDispose]());
  return store;
}

test('any text comes back, and never twice as the same ciphertext', () => {
  const cipher = new FieldCipher([newSecretsKey()]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), secret => {
      const [one, two] = [cipher.encrypt(secret, place), cipher.encrypt(secret, place)];
      assert.ok(isSealed(one));
      assert.notEqual(one, two);
      assert.equal(cipher.decrypt(one, place), secret);
    }),
  );
});

test('a ciphertext that was moved, altered or cut does not open, and the error holds no secret', () => {
  const cipher = new FieldCipher([newSecretsKey()]);
  const sealed = cipher.encrypt('canary-secret', place);
  const refused = (error: unknown) =>
    hasReason(error, 'InternalError') && error.message.includes('spec.password') && !error.message.includes('canary');
  assert.throws(() => cipher.decrypt(sealed, { ...place, key: 'clusters/c-2' }), refused);
  assert.throws(() => cipher.decrypt(sealed, { key: 'clusters/c-1spec', field: '.spec.password' }), /altered or moved/);
  for (let at = 7; at < sealed.length; at += 1) {
    const other = sealed[at] === 'A' ? 'Q' : 'A';
    const altered = sealed.slice(0, at) + other + sealed.slice(at + 1);
    // The last character of base64 may carry bits that mean nothing.
    if (at === sealed.length - 1) continue;
    assert.throws(() => cipher.decrypt(altered, place), refused, altered);
  }
  for (const text of ['', 'canary', sealed.slice(0, -8), 'enc:v1:x:y:z'])
    assert.throws(() => cipher.decrypt(text, place), refused);
  assert.throws(() => new FieldCipher([newSecretsKey()]).decrypt(sealed, place), /needs the key/);
});

test('the key file is made once, for its owner alone, and refused by line when it is wrong', async t => {
  const path = await keyFile(t);
  const keyring = openKeyring(path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(formatKeyring(openKeyring(path)), formatKeyring(keyring));
  assert.ok(!JSON.stringify(keyring).includes(keyring[0].key.reveal()));
  const line = formatKeyring(keyring).trim();
  for (const [text, word] of [
    ['', /at least one key/],
    [`${line}\nrubbish`, /line 2/],
    [`${line}\n${line}`, /line 2 must not repeat/],
  ] as const)
    assert.throws(
      () => parseKeyring(text, path),
      error => hasReason(error, 'Invalid') && word.test(error.message),
    );
  await chmod(path, 0o644);
  assert.throws(() => openKeyring(path), /chmod 600/);
});

test('a store written with one key file is refused with another, and taken with one that still holds its key', async t => {
  const store = await openStore(t);
  const [old, fresh, foreign] = [newSecretsKey(), newSecretsKey(), newSecretsKey()];
  await checkKeyring(store, [old]);
  await checkKeyring(store, [old]);
  await assert.rejects(
    checkKeyring(store, [foreign]),
    error => hasReason(error, 'Invalid') && error.message.includes(old.id),
  );
  await assert.rejects(checkKeyring(store, [{ id: old.id, key: foreign.key }]), error => hasReason(error, 'Invalid'));
  await checkKeyring(store, [fresh, old]);
  await checkKeyring(store, [fresh]);
  await assert.rejects(checkKeyring(store, [old]), error => hasReason(error, 'Invalid'));
});

test('rotation re-encrypts every secret in its place, leaves the rest alone, and is done once', async t => {
  const path = await keyFile(t);
  const old = openKeyring(path);
  const before = new FieldCipher(old);
  const store = await openStore(t);
  const value = (key: string, cipher: FieldCipher) => ({
    spec: { name: 'x', list: [{ token: cipher.encrypt('s1', { key, field: 'spec.list.0.token' }) }] },
    looksLike: before.encrypt('elsewhere', place),
  });
  await store.create('a', JSON.stringify(value('a', before)));
  await store.create('b', '{"plain":"enc:v1:no"}');
  await writeFile(path, formatKeyring([newSecretsKey(), ...old]));
  const keyring = openKeyring(path);
  const after = new FieldCipher(keyring);
  assert.equal(await rotateSecrets(store, after), 1);
  assert.equal(await rotateSecrets(store, after), 0);
  const only = new FieldCipher([keyring[0]]);
  const rotated = JSON.parse((await store.get('a'))!.value) as ReturnType<typeof value>;
  assert.equal(only.decrypt(rotated.spec.list[0]!.token, { key: 'a', field: 'spec.list.0.token' }), 's1');
  assert.equal(before.decrypt(rotated.looksLike, place), 'elsewhere');
  assert.equal((await store.get('b'))?.value, '{"plain":"enc:v1:no"}');
  assert.ok(!(await readFile(path, 'utf8')).includes('s1'));
});
