/** The past is bounded: the newest is there, what was normal goes first, and nobody writes it who does not own the cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict } from '@drover/base';
import { openSqliteStore } from '@drover/store';
import type { HistoryEntry } from './entry.ts';
import { readWish, select } from './route.ts';
import { forgetHistory, HistoryWriter, historyBounds, readIndex } from './segments.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const entry = (at: number, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  id: `e-${at}`,
  at: new Date(start + at * 1000).toISOString(),
  type: 'event',
  kind: 'Pod',
  resource: 'events',
  group: '',
  namespace: 'shop',
  name: `web-${at}`,
  reason: 'Pulled',
  ...more,
});
const all = async () => true;
const wish = (query: string) => readWish(new URLSearchParams(`clusterId=c-1&limit=200&${query}`));

async function opened(bounds = {}) {
  const store = await openSqliteStore({ path: ':memory:' });
  const writer = await HistoryWriter.open(store, 'c-1', { claim: () => [], bounds: { ...historyBounds, ...bounds } });
  const namesOf = async (query = '', sees: (entry: HistoryEntry) => Promise<boolean> = all) =>
    (await select(store, wish(query), sees)).data.map(({ name }) => name);
  return { store, writer, namesOf };
}

test('what was added comes newest first, over segments, in pages, and after a restart', async () => {
  const { store, writer, namesOf } = await opened({ perSegment: 10 });
  await using _ = store;
  for (let at = 0; at < 35; at++) await writer.add([entry(at)], start + at * 1000);
  const newest = Array.from({ length: 35 }, (__, at) => `web-${34 - at}`);
  assert.deepEqual(await namesOf(), newest);
  const found: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const query: string = `limit=8${next && `&before=${encodeURIComponent(next)}`}`;
    const page = await select(store, readWish(new URLSearchParams(`clusterId=c-1&${query}`)), all);
    found.push(...page.data.map(({ name }) => name));
    next = page.next;
  }
  assert.deepEqual(found, newest);
  const again = await HistoryWriter.open(store, 'c-1', { claim: () => [] });
  assert.deepEqual([again.has(entry(34)), again.has(entry(99)), again.lastMs], [true, false, start + 34_000]);
  await again.add([entry(35)], start + 36_000);
  assert.equal((await namesOf())[0], 'web-35');
});

test('an event that comes again is one, with how often', async () => {
  const { store, writer } = await opened({ perSegment: 2 });
  await using _ = store;
  for (const count of [1, 2, 3, 4])
    await writer.add([entry(count, { id: 'same', count }), entry(count + 100)], start + count * 1000);
  const { data } = await select(store, wish('of=event'), all);
  assert.deepEqual(
    data.filter(({ id }) => id === 'same').map(({ count }) => count),
    [4],
  );
});

test('what is too much is thinned first: warnings and changes outlive what was normal, then the oldest goes', async () => {
  const { store, writer, namesOf } = await opened({ perSegment: 10, entries: 60 });
  await using _ = store;
  for (let at = 0; at < 100; at++)
    await writer.add([entry(at, at % 5 === 0 ? { warning: true } : {})], start + at * 1000);
  const kept = await namesOf();
  assert.ok(kept.length <= 60, String(kept.length));
  assert.ok(kept.includes('web-5') && !kept.includes('web-6'), 'a warning of long ago');
  assert.ok(kept.includes('web-99') && kept.includes('web-96'));
  for (let at = 100; at < 700; at++) await writer.add([entry(at, { warning: true })], start + at * 1000);
  const later = await namesOf();
  assert.ok(later.length <= 60 && later[0] === 'web-699' && !later.includes('web-5'));
});

test('bytes and days are bounds too', async () => {
  const { store, writer, namesOf } = await opened({ perSegment: 10, bytes: 4000 });
  await using _ = store;
  for (let at = 0; at < 200; at++)
    await writer.add([entry(at, { warning: true, message: Math.random().toString(36).repeat(9) })], start + at * 1000);
  assert.ok((await readIndex(store, 'c-1')).reduce((sum, { bytes }) => sum + bytes, 0) <= 4000 + 1500);
  const day = 86_400;
  for (let at = 0; at < 12; at++) await writer.add([entry(40 * day + at)], start + (40 * day + at) * 1000);
  assert.equal((await namesOf()).length, 12 + (await namesOf('of=warning')).length);
  assert.ok((await namesOf('of=warning')).length <= 10, 'at most what is in the segment that was open');
});

test('filters, and what may not be seen', async () => {
  const { store, writer, namesOf } = await opened();
  await using _ = store;
  const change = {
    type: 'change',
    kind: 'Deployment',
    resource: 'deployments',
    group: 'apps',
    what: 'changed',
  } as const;
  await writer.add(
    [
      entry(1, { warning: true, message: 'Out of memory' }),
      entry(2, { namespace: 'other' }),
      entry(3, { ...change, name: 'web' }),
    ],
    start + 5000,
  );
  for (const [query, expected] of [
    ['of=change', ['web']],
    ['of=warning', ['web-1']],
    ['namespace=other', ['web-2']],
    ['kind=Deployment&name=web', ['web']],
    ['name=web&namespace=shop', ['web', 'web-1']],
    ['text=OUT OF', ['web-1']],
    [`since=${entry(2).at}`, ['web', 'web-2']],
  ] as const)
    assert.deepEqual(await namesOf(query), expected, query);
  const noChanges = async ({ resource }: HistoryEntry) => resource === 'events';
  assert.deepEqual(await namesOf('', noChanges), ['web-2', 'web-1'], 'what somebody may not list he is not told of');
  assert.deepEqual(await namesOf('', async ({ namespace }) => namespace === 'shop'), ['web', 'web-1']);
  for (const query of ['limit=0', 'limit=900', 'of=all', 'since=now'])
    assert.throws(() => readWish(new URLSearchParams(query)), /^StatusError: (?:limit|of|since): /, query);
});

test('who has lost the cluster writes nothing, and a cluster that is gone leaves nothing', async () => {
  const { store, writer } = await opened();
  await using _ = store;
  await writer.add([entry(1)], start);
  const lost = await HistoryWriter.open(store, 'c-1', { claim: () => [{ key: '/claim', revision: 9 }] });
  await assert.rejects(lost.add([entry(2)], start), isConflict);
  await forgetHistory(store, 'c-1');
  assert.deepEqual((await store.list('/history/')).entries, []);
});
