/** The embedded driver: the conformance suite in memory and on disk, and what only a file can suffer. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { hasReason, isExpired, isUnavailable } from '@drover/base';
import { storeSuite } from '../store-suite.ts';
import { openSqliteStore } from './sqlite-store.ts';

async function newFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-store-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'data', 'drover.db');
}

async function open(t: TestContext, path: string) {
  const store = await openSqliteStore({ path });
  t.after(() => store[Symbol.asyncDispose]());
  return store;
}

storeSuite('sqlite in memory', t => open(t, ':memory:'));
storeSuite('sqlite on disk', async t => open(t, await newFile(t)));

test('a store opened again has everything, its epoch and its history, but not the leases of the process before', async t => {
  const path = await newFile(t);
  const first = await openSqliteStore({ path });
  const { epoch } = first;
  const entry = await first.create('a', '1');
  await first.update('a', '2', entry.revision);
  const lease = await first.lease(60_000);
  await first.create('held', '1', { lease });
  const revision = await first.revision();
  await first[Symbol.asyncDispose]();
  await assert.rejects(first.get('a'), isUnavailable);
  await assert.rejects(first.create('b', '1'), isUnavailable);

  const second = await open(t, path);
  assert.equal(second.epoch, epoch);
  assert.equal((await second.get('a'))?.value, '2');
  assert.equal(await second.get('held'), undefined);
  assert.ok((await second.revision()) >= revision);
  const stop = new AbortController();
  const replayed: string[] = [];
  for await (const event of second.watch('', { after: entry.revision, signal: stop.signal })) {
    if (event.type === 'bookmark') continue;
    replayed.push(`${event.type} ${event.type === 'put' ? event.entry.key : event.key}`);
    if (replayed.length === 3) stop.abort();
  }
  assert.deepEqual(replayed, ['put a', 'put held', 'delete held']);
});

test('the revision does not go back when compaction has taken the last row', async t => {
  const path = await newFile(t);
  const first = await openSqliteStore({ path });
  await first.create('a', '1');
  await first.delete('a');
  const revision = await first.revision();
  await first.compact(revision);
  await first[Symbol.asyncDispose]();
  const second = await open(t, path);
  assert.equal(await second.revision(), revision);
  assert.equal((await second.create('a', '2')).revision, revision + 1);
});

test('what was compacted away is Expired to a watch, and what came later is replayed whole', async t => {
  const path = await newFile(t);
  const first = await openSqliteStore({ path });
  const old = await first.create('a', '1');
  const kept = await first.update('a', '2', old.revision);
  await first.compact(kept.revision);
  await first.delete('a');
  await first[Symbol.asyncDispose]();
  const second = await open(t, path);
  const { signal } = new AbortController();
  await assert.rejects(second.watch('', { after: old.revision, signal })[Symbol.asyncIterator]().next(), isExpired);
  const whole = second.watch('', { after: kept.revision, signal })[Symbol.asyncIterator]();
  assert.deepEqual((await whole.next()).value, { type: 'bookmark', revision: kept.revision });
  const revision = kept.revision + 1;
  assert.deepEqual((await whole.next()).value, { type: 'delete', key: 'a', previous: kept, revision });
  await whole.return?.();
});

test('a second opener is refused by the name of the file', async t => {
  const path = await newFile(t);
  await open(t, path);
  await assert.rejects(openSqliteStore({ path }), error => isUnavailable(error) && error.message.includes(path));
});

test('the file is its owner’s alone', async t => {
  const path = await newFile(t);
  await open(t, path);
  for (const file of [path, `${path}-wal`]) assert.equal((await stat(file)).mode & 0o077, 0, file);
});

test('a file of a newer version, of another program, or damaged is refused by name and left as it is', async t => {
  const path = await newFile(t);
  const store = await openSqliteStore({ path });
  for (let at = 0; at < 300; at += 1) await store.create(`k${at}`, 'x'.repeat(500));
  await store[Symbol.asyncDispose]();
  const whole = await readFile(path);
  const refused = (word: RegExp) => (error: unknown) =>
    hasReason(error, 'Invalid') && error.message.startsWith(path) && word.test(error.message);

  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  await assert.rejects(openSqliteStore({ path }), refused(/format 99; this version reads up to 1/));

  const damagedPages = Buffer.from(whole);
  damagedPages.fill(0xa5, 8192, 32768);
  for (const bytes of [Buffer.from('not a database at all'.repeat(300)), damagedPages, whole.subarray(0, 20_000)]) {
    await writeFile(path, bytes);
    await assert.rejects(openSqliteStore({ path }), refused(/damaged/));
    assert.deepEqual(await readFile(path), bytes);
  }

  await rm(path);
  const other = new DatabaseSync(path);
  other.exec('CREATE TABLE t (a)');
  other.close();
  await assert.rejects(openSqliteStore({ path }), refused(/another program/));
  await writeFile(path, whole);
  assert.equal((await (await open(t, path)).list('k')).entries.length, 300);
});

test('a store in a place that can not be written is refused', async t => {
  const path = await newFile(t);
  await assert.rejects(openSqliteStore({ path: '/proc/none/drover.db' }), error => hasReason(error, 'Invalid'));
  const store = await open(t, path);
  await assert.rejects(openSqliteStore({ path: join(path, 'drover.db') }), error => isUnavailable(error));
  await store.create('still', 'well');
});
