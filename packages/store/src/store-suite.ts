/** The conformance suite: what every driver must do, run against the real thing. `makeStore` gives an empty store each time. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { hasReason, isConflict, type Reason, until } from '@drover/base';
import { newEpoch } from './epoch.ts';
import { leaseCompare } from './held-lease.ts';
import type { Entry, Store, StoreEvent, WatchOptions } from './store.ts';

export type MakeStore = (t: TestContext) => Promise<Store>;

const reason = (wanted: Reason) => (error: unknown) => hasReason(error, wanted);
const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);

/** Collects what a watch gives, without its bookmarks; `ended` settles as the watch does. */
export function collect(store: Store, prefix: string, options: Omit<WatchOptions, 'signal'> = {}) {
  const stop = new AbortController();
  const events: StoreEvent[] = [];
  const bookmarks: number[] = [];
  const watch = store.watch(prefix, { ...options, signal: stop.signal });
  const ended = (async () => {
    for await (const event of watch) {
      if (event.type === 'bookmark') bookmarks.push(event.revision);
      else events.push(event);
    }
  })();
  ended.catch(() => undefined);
  const names = () =>
    events.map(
      event => `${event.type} ${event.type === 'put' ? event.entry.key : event.type === 'delete' ? event.key : ''}`,
    );
  return { events, bookmarks, ended, names, stop: () => stop.abort() };
}

export function storeSuite(name: string, makeStore: MakeStore): void {
  describe(`${name}: writes`, () => {
    test('a created key is read back with its revisions, and a second create is refused', async t => {
      const store = await makeStore(t);
      const entry = await store.create('a/1', '{"x":"ü\u{1f600}"}');
      assert.equal(entry.created, entry.revision);
      assert.deepEqual(await store.get('a/1'), entry);
      await assert.rejects(store.create('a/1', '{}'), reason('AlreadyExists'));
      assert.equal(await store.get('a/2'), undefined);
    });

    test('an update needs the last revision and keeps that of the creation', async t => {
      const store = await makeStore(t);
      const first = await store.create('a', '1');
      const second = await store.update('a', '2', first.revision);
      assert.deepEqual(await store.get('a'), second);
      assert.equal(second.created, first.revision);
      assert.ok(second.revision > first.revision);
      await assert.rejects(store.update('a', '3', first.revision), reason('Conflict'));
      await assert.rejects(store.update('b', '3', first.revision), reason('NotFound'));
      await assert.rejects(store.update('a', '3', 0), reason('Conflict'));
      assert.equal((await store.get('a'))?.value, '2');
    });

    test('a delete answers what it deleted, and a key created again begins anew', async t => {
      const store = await makeStore(t);
      const first = await store.create('a', '1');
      await assert.rejects(store.delete('a', first.revision + 1), reason('Conflict'));
      assert.deepEqual(await store.delete('a', first.revision), first);
      await assert.rejects(store.delete('a'), reason('NotFound'));
      const again = await store.create('a', '2');
      assert.equal(again.created, again.revision);
    });

    test('a transaction is all or nothing, under one revision, and names the first compare that failed', async t => {
      const store = await makeStore(t);
      const a = await store.create('a', '1');
      const revision = await store.txn(
        [a, { key: 'b', revision: 0 }].map(({ key, revision }) => ({ key, revision })),
        [
          { type: 'put', key: 'b', value: '1' },
          { type: 'delete', key: 'a' },
          { type: 'delete', key: 'never' },
        ],
      );
      assert.equal((await store.get('b'))?.revision, revision);
      assert.equal(await store.get('a'), undefined);
      await assert.rejects(
        store.txn(
          [
            { key: 'c', revision: 0 },
            { key: 'b', revision: 1 },
          ],
          [{ type: 'put', key: 'c', value: '1' }],
        ),
        error => isConflict(error) && error.details.name === 'b',
      );
      assert.equal(await store.get('c'), undefined);
    });

    test('what a store can not keep is refused by name', async t => {
      const store = await makeStore(t);
      for (const key of ['', '\0', 'a\0b', 'é', 'a\ud800', `a${'x'.repeat(1024)}`])
        await assert.rejects(store.create(key, '1'), reason('Invalid'), JSON.stringify(key));
      await assert.rejects(store.create('a', 'x'.repeat(1_400_001)), reason('RequestEntityTooLarge'));
      await assert.rejects(store.create('a', 'x\udfff'), reason('Invalid'));
      const puts = Array.from({ length: 129 }, (_, at) => ({ type: 'put' as const, key: `k${at}`, value: '1' }));
      await assert.rejects(store.txn([], puts), reason('Invalid'));
      await assert.rejects(store.txn([], [puts[0]!, puts[0]!]), reason('Invalid'));
      await assert.rejects(store.list('', { limit: 0 }), reason('Invalid'));
      await store.txn([], puts.slice(0, 128));
      await store.create('large', 'x'.repeat(1_399_000));
    });

    test('of many writers with the same revision one wins', async t => {
      const store = await makeStore(t);
      const { revision } = await store.create('a', '0');
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, at) => store.update('a', `${at}`, revision)),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.ok(results.every(result => result.status === 'fulfilled' || isConflict(result.reason)));
    });
  });

  describe(`${name}: lists`, () => {
    test('a list is in byte order, and passes over the store’s own keys', async t => {
      const store = await makeStore(t);
      const keys = ['a', 'a/b', 'a/\uffff', 'a/\u{10000}', 'a0', 'b', 'A'];
      for (const key of keys) await store.create(key, '1');
      const sorted = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      assert.deepEqual(keysOf((await store.list('')).entries), sorted);
      assert.deepEqual(keysOf((await store.list('a/')).entries), ['a/b', 'a/\uffff', 'a/\u{10000}']);
      assert.deepEqual(keysOf((await store.list('nothing')).entries), []);
      assert.deepEqual(keysOf((await store.list('~epoch')).entries), ['~epoch']);
    });

    test('all pages of a list are a picture of one revision', async t => {
      const store = await makeStore(t);
      for (let at = 0; at < 7; at += 1) await store.create(`k${at}`, 'old');
      const first = await store.list('k', { limit: 3 });
      assert.equal(first.remaining, 4);
      await store.delete('k5');
      await store.create('k55', 'new');
      await store.update('k6', 'new', (await store.get('k6'))!.revision);
      const second = await store.list('k', { limit: 3, continue: first.continue! });
      const third = await store.list('k', { limit: 3, continue: second.continue! });
      const all = [first, second, third].flatMap(({ entries }) => entries);
      assert.deepEqual(keysOf(all), ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6']);
      assert.ok(all.every(({ value }) => value === 'old'));
      assert.deepEqual([second.remaining, third.remaining, third.continue], [1, 0, undefined]);
      assert.equal(third.revision, first.revision);
      assert.equal((await store.list('k', { limit: 7 })).continue, undefined);
    });

    test('a page after compaction or of a new epoch is Expired, and nonsense is refused', async t => {
      const store = await makeStore(t);
      for (const key of ['a', 'b', 'c']) await store.create(key, '1');
      const page = await store.list('', { limit: 1 });
      await store.delete('a');
      await store.compact(await store.revision());
      await assert.rejects(store.list('', { limit: 1, continue: page.continue! }), reason('Expired'));
      for (const token of ['x', 'WzFd', Buffer.from('[1,2,3]').toString('base64url')])
        await assert.rejects(store.list('', { continue: token }), reason('BadRequest'));
      const fresh = await store.list('', { limit: 1 });
      await newEpoch(store);
      await until('the new epoch', () =>
        store.list('', { limit: 1, continue: fresh.continue! }).then(() => false, reason('Expired')),
      );
    });

    test('thousands of entries come whole', async t => {
      const store = await makeStore(t);
      const keys = Array.from({ length: 2600 }, (_, at) => `n${String(at).padStart(5, '0')}`);
      for (let from = 0; from < keys.length; from += 100)
        await store.txn(
          [],
          keys.slice(from, from + 100).map(key => ({ type: 'put', key, value: 'x'.repeat(200) })),
        );
      assert.deepEqual(keysOf((await store.list('n')).entries), keys);
      const part = await store.list('n', { limit: 1100 });
      assert.deepEqual([part.entries.length, part.remaining], [1100, 1500]);
    });
  });

  describe(`${name}: watches`, () => {
    test('a watch from now gives what comes after it, under its prefix alone, with what was replaced', async t => {
      const store = await makeStore(t);
      const before = await store.create('a/0', '0');
      const watch = collect(store, 'a/');
      const a = await store.create('a/1', '1');
      await store.create('b/1', '1');
      const updated = await store.update('a/1', '2', a.revision);
      await store.delete('a/0');
      await until('three events', () => watch.events.length === 3);
      const deletion = watch.events[2]!;
      assert.deepEqual(watch.events, [
        { type: 'put', entry: a, revision: a.revision },
        { type: 'put', entry: updated, previous: a, revision: updated.revision },
        { type: 'delete', key: 'a/0', previous: before, revision: deletion.revision },
      ]);
      watch.stop();
      await watch.ended;
    });

    test('a watch from the past gives all of it in order and goes on live', async t => {
      const store = await makeStore(t);
      const start = await store.revision();
      for (let at = 0; at < 700; at += 1) await store.create(`k${at}`, '1');
      const watch = collect(store, 'k', { after: start });
      for (let at = 700; at < 720; at += 1) await store.create(`k${at}`, '1');
      await until('all events', () => watch.events.length === 720);
      assert.deepEqual(
        watch.names(),
        Array.from({ length: 720 }, (_, at) => `put k${at}`),
      );
      assert.equal(watch.bookmarks[0], start);
      watch.stop();
      await watch.ended;
    });

    test('bookmarks come first and while nothing happens, and never split a transaction or overtake it', async t => {
      const store = await makeStore(t);
      const stop = new AbortController();
      const seen: StoreEvent[] = [];
      const reading = (async () => {
        for await (const event of store.watch('', { signal: stop.signal, bookmarkEveryMs: 5 })) seen.push(event);
      })();
      for (let round = 0; round < 10; round += 1) {
        await store.txn(
          [],
          Array.from({ length: 20 }, (_, at) => ({ type: 'put', key: `k${at}`, value: `${round}` })),
        );
        const count = seen.filter(({ type }) => type === 'bookmark').length;
        await until('a bookmark', () => seen.filter(({ type }) => type === 'bookmark').length > count);
      }
      await until('all events', () => seen.filter(({ type }) => type === 'put').length === 200);
      stop.abort();
      await reading;
      assert.equal(seen[0]!.type, 'bookmark');
      let last = 0;
      let marked = 0;
      for (const [at, event] of seen.entries()) {
        assert.ok(event.revision >= last, 'revisions never go back');
        if (event.type === 'bookmark') {
          const next = seen[at + 1];
          assert.ok(
            !next || next.type === 'bookmark' || next.revision > event.revision,
            'nothing at or before a bookmark follows it',
          );
          marked = event.revision;
        } else assert.ok(event.revision > marked);
        last = event.revision;
      }
    });

    test('a reader that stops for long misses nothing and holds up nobody', async t => {
      const store = await makeStore(t);
      const stop = new AbortController();
      const reader = store.watch('k', { signal: stop.signal })[Symbol.asyncIterator]();
      await reader.next();
      const puts = Array.from({ length: 128 }, (_, at) => ({ type: 'put' as const, key: `k${at}`, value: 'x' }));
      for (let round = 0; round < 80; round += 1) await store.txn([], puts);
      const revisions: number[] = [];
      while (revisions.length < 80 * 128) {
        const { value } = await reader.next();
        if (value && value.type !== 'bookmark') revisions.push(value.revision);
      }
      assert.equal(new Set(revisions).size, 80);
      assert.deepEqual(
        revisions,
        [...revisions].sort((x, y) => x - y),
      );
      stop.abort();
      assert.equal((await reader.next()).done, true);
    });

    test('a watch from before a compaction is whole or Expired, one from after it is whole', async t => {
      const store = await makeStore(t);
      const old = await store.create('a', '1');
      const { revision } = await store.update('a', '2', old.revision);
      await store.delete('a');
      const again = await store.create('a', '3');
      await store.compact(again.revision);
      const early = collect(store, '', { after: old.revision });
      const refusal = await Promise.race([
        early.ended.catch(error => error),
        until('it all', () => early.events.length === 3),
      ]);
      if (refusal === true) assert.deepEqual(early.names(), ['put a', 'delete a', 'put a']);
      else assert.deepEqual([reason('Expired')(refusal), early.events, early.bookmarks], [true, [], []]);
      assert.ok(revision < again.revision);
      const late = collect(store, '', { after: again.revision });
      const next = await store.update('a', '4', again.revision);
      await until('the update', () => late.events.length === 1);
      assert.deepEqual(late.events, [{ type: 'put', entry: next, previous: again, revision: next.revision }]);
      await assert.rejects(store.compact((await store.revision()) + 1000), reason('Invalid'));
      await assert.rejects(collect(store, '', { after: (await store.revision()) + 1000 }).ended, reason('Expired'));
      early.stop();
      late.stop();
    });

    test('a new epoch ends every watch with Expired and only grows', async t => {
      const store = await makeStore(t);
      const before = store.epoch;
      const watch = collect(store, '');
      const epoch = await newEpoch(store, before + 5_000_000_000_000);
      await assert.rejects(watch.ended, reason('Expired'));
      await until('the epoch', () => store.epoch === epoch);
      assert.ok(epoch > before + 5_000_000_000_000);
    });
  });

  describe(`${name}: leases`, () => {
    test('keys go with their lease, and nothing is written in its name afterwards', async t => {
      const store = await makeStore(t);
      const lease = await store.lease(5000);
      await store.create('held/1', '1', { lease });
      await store.txn([leaseCompare(lease)], [{ type: 'put', key: 'held/2', value: '1', lease }]);
      await store.txn([leaseCompare(lease)], [{ type: 'put', key: 'free', value: '1' }]);
      const held = (await store.get('held/1'))!;
      await store.update('held/1', '2', held.revision);
      const watch = collect(store, 'held/');
      await lease[Symbol.asyncDispose]();
      assert.ok(lease.lost.aborted);
      await until('the keys to go', async () => (await store.list('held/')).entries.length === 0);
      await until('the events', () => watch.events.length === 2);
      assert.deepEqual(watch.names().sort(), ['delete held/1', 'delete held/2']);
      await assert.rejects(
        store.txn([leaseCompare(lease)], [{ type: 'put', key: 'free', value: '2' }]),
        reason('Conflict'),
      );
      await assert.rejects(store.create('held/3', '1', { lease }), reason('Conflict'));
      assert.equal((await store.get('free'))?.value, '1');
      watch.stop();
    });

    test('a lease that holds thousands of keys ends like any other, and what is written after it counts', async t => {
      const store = await makeStore(t);
      const lease = await store.lease(5000);
      for (let from = 0; from < 1000; from += 100)
        await store.txn(
          [lease.claim],
          Array.from({ length: 100 }, (_, i) => ({ type: 'put', key: `held/${from + i}`, value: '1', lease }) as const),
        );
      const watch = collect(store, 'held/');
      await lease[Symbol.asyncDispose]();
      await until('the events', () => watch.events.length === 1000);
      assert.equal(new Set(watch.names()).size, 1000);
      assert.equal((await store.list('held/')).entries.length, 0);
      assert.equal((await store.create('held/0', '2')).value, '2');
      watch.stop();
    });

    test('a lease that is held outlives its time', async t => {
      const store = await makeStore(t);
      await using lease = await store.lease(2000);
      const began = performance.now();
      await until('its time to pass', () => performance.now() - began > 4500);
      assert.equal(lease.lost.aborted, false);
      await store.txn([leaseCompare(lease)], []);
    });
  });
}
