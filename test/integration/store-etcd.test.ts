/** The etcd driver against real etcds: the conformance suite, sign-in, TLS, several endpoints, restarts. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { hasReason, isExpired, isUnavailable, Secret, until } from '@drover/base';
import { openEtcdStore, type Store } from '@drover/store';
import { collect, storeSuite } from '../../packages/store/src/store-suite.ts';
import { Etcd, etcdBinaries, freePort } from './store/etcd.ts';

const binaries = etcdBinaries();
if (binaries.length === 0) test('the etcd driver', t => t.skip('no etcd on this machine'));

for (const { name, path } of binaries) {
  let shared: Promise<Etcd> | undefined;
  let stores = 0;
  const open = async (t: TestContext, endpoints: string[], prefix = `/test-${(stores += 1)}/`): Promise<Store> => {
    const store = await openEtcdStore({ endpoints, prefix });
    t.after(() => store[Symbol.asyncDispose]());
    return store;
  };
  const started = async (t: TestContext): Promise<Etcd> => {
    const etcd = await Etcd.start(path);
    t.after(() => etcd[Symbol.asyncDispose]());
    return etcd;
  };

  storeSuite(name, async t => {
    shared ??= Etcd.start(path);
    return open(t, [(await shared).endpoint]);
  });

  test(`${name}: two replicas see each other's writes, bookmarks and epochs, and neither sees another prefix`, async t => {
    const { endpoint } = await started(t);
    const [one, two, other] = [
      await open(t, [endpoint], '/a/'),
      await open(t, [endpoint], '/a/'),
      await open(t, [endpoint], '/a0/'),
    ];
    const watch = collect(two, '', { bookmarkEveryMs: 20 });
    const entry = await one.create('k', '1');
    await other.create('k', '2');
    await until('the event', () => watch.events.length === 1);
    await until('a bookmark after it', () => watch.bookmarks.some(revision => revision > entry.revision));
    assert.deepEqual(await two.get('k'), entry);
    assert.equal(one.epoch, two.epoch);
    watch.stop();
  });

  test(`${name}: what was compacted away is Expired to a watch`, async t => {
    const { endpoint } = await started(t);
    const one = await open(t, [endpoint], '/a/');
    const first = await one.create('k', '1');
    const second = await one.update('k', '2', first.revision);
    await one.compact(second.revision);
    const late = await open(t, [endpoint], '/a/');
    await assert.rejects(collect(late, '', { after: first.revision - 1 }).ended, isExpired);
  });

  test(`${name}: a watch goes on after etcd was killed and started again`, async t => {
    const etcd = await started(t);
    const store = await open(t, [etcd.endpoint]);
    const watch = collect(store, '', { bookmarkEveryMs: 50 });
    await store.create('before', '1');
    await etcd.kill();
    await assert.rejects(store.create('while', '1'), error => isUnavailable(error));
    await etcd.restart();
    await until('a write after', () => store.create('after', '1'), { timeoutMs: 15_000 });
    await until('the events', () => watch.names().includes('put after'), { timeoutMs: 15_000 });
    assert.deepEqual(watch.names(), ['put before', 'put after']);
    watch.stop();
  });

  test(`${name}: an endpoint that is away is passed over`, async t => {
    const etcd = await started(t);
    const store = await open(t, [`http://127.0.0.1:${await freePort()}`, etcd.endpoint]);
    const watch = collect(store, '');
    await store.create('a', '1');
    await until('the event', () => watch.events.length === 1);
    watch.stop();
  });

  test(`${name}: a transaction of 128 large values reaches a watcher in one piece`, async t => {
    const { endpoint } = await started(t);
    const store = await open(t, [endpoint]);
    const watch = collect(store, '');
    const ops = Array.from({ length: 128 }, (_, at) => ({
      type: 'put' as const,
      key: `k${at}`,
      value: 'x'.repeat(10_900),
    }));
    await store.txn([], ops);
    const revision = await store.txn([], ops);
    await until('all events', () => watch.events.length === 256);
    assert.equal(watch.events.filter(event => event.revision === revision).length, 128);
    watch.stop();
  });

  test(`${name}: the last of all ends the shared one`, async () => {
    await (await shared)?.[Symbol.asyncDispose]();
  });
}

test('an endpoint that is none, and a cluster that is not there, are refused by name', async () => {
  await assert.rejects(openEtcdStore({ endpoints: [] }), error => hasReason(error, 'Invalid'));
  for (const endpoint of ['ftp://a:1', 'http://a', 'a:b:c', 'http://a:1/path?x'])
    await assert.rejects(openEtcdStore({ endpoints: [endpoint] }), error => hasReason(error, 'Invalid'), endpoint);
  const endpoint = `127.0.0.1:${await freePort()}`;
  await assert.rejects(
    openEtcdStore({ endpoints: [endpoint], requestTimeoutMs: 500, username: 'u', password: new Secret('canary') }),
    error => isUnavailable(error) && error.message.includes(endpoint) && !error.message.includes('canary'),
  );
});
