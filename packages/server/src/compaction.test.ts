/** Compaction: a page begun before the last look ends as Expired, one begun after it goes on, and no value is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExpired, silentLog, until } from '@drover/base';
import { openSqliteStore } from '@drover/store';
import { runCompaction } from './compaction.ts';

test('what is older than the interval is forgotten, and what is newer kept', { timeout: 10_000 }, async t => {
  await using store = await openSqliteStore({ path: ':memory:' });
  const stop = new AbortController();
  t.after(() => stop.abort());
  await store.create('a', '1');
  await store.create('b', '1');
  const old = await store.list('', { limit: 1 });
  const goOn = (page: typeof old) => store.list('', { limit: 1, continue: page.continue });
  assert.equal((await goOn(old)).entries[0]?.key, 'b');
  await store.update('a', '2', (await store.get('a'))!.revision);
  const running = runCompaction(store, { log: silentLog, signal: stop.signal, keepMs: 5 });
  await until('the old page to be gone', () => goOn(old).then(() => false, isExpired), { timeoutMs: 5000 });
  stop.abort();
  await running;
  assert.equal((await goOn(await store.list('', { limit: 1 }))).entries[0]?.key, 'b');
  assert.equal((await store.get('a'))?.value, '2');
});
