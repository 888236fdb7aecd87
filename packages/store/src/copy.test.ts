/** Moving a store: everything arrives, under a new epoch, and never half. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { hasReason } from '@drover/base';
import { copyStore, isHalfCopied } from './copy.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

async function open(t: TestContext) {
  const store = await openSqliteStore({ path: ':memory:' });
  t.after(() => store[Symbol.asyncDispose]());
  return store;
}

test('everything arrives, large values too, and the epoch is above both', async t => {
  const [from, to] = [await open(t), await open(t)];
  for (let at = 0; at < 450; at += 1) await from.create(`k${at}`, `"${at}"`);
  await from.create('large', 'x'.repeat(1_300_000));
  await from.create('~keyring', '{"check":"c"}');
  const totals: number[] = [];
  assert.equal(await copyStore(from, to, ({ total }) => totals.push(total)), 451);
  const plain = async (store: typeof from) => (await store.list('')).entries.map(({ key, value }) => [key, value]);
  assert.deepEqual(await plain(to), await plain(from));
  assert.equal((await to.get('~keyring'))?.value, '{"check":"c"}');
  assert.ok(to.epoch > from.epoch);
  assert.deepEqual(new Set(totals), new Set([451]));
  await assert.rejects(copyStore(from, to), error => hasReason(error, 'Invalid'));
});

test('a copy that somebody wrote beside is refused, known as half, and done anew', async t => {
  const [from, to] = [await open(t), await open(t)];
  for (let at = 0; at < 300; at += 1) await from.create(`k${at}`, '1');
  let writing: Promise<unknown> | undefined;
  const disturb = () => {
    writing ??= from.create('k-new', '1');
  };
  await assert.rejects(copyStore(from, to, disturb), error => hasReason(error, 'Conflict'));
  await writing;
  assert.equal(await isHalfCopied(to), true);
  assert.equal(await copyStore(from, to), 301);
  assert.equal(await isHalfCopied(to), false);
});
