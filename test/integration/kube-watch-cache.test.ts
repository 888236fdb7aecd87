/** WatchCache against a real kube-apiserver through a line that is cut again and again, and one that is killed and compacted. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { type Dialer, hasReason, ignoreNotFound, type Resource, unavailable, until } from '@drover/base';
import { type Change, configMaps, KubeClient, namespaces, WatchCache, type WatchCacheOptions } from '@drover/kube';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const skip = missingApiServer();
type ConfigMap = Resource & { readonly data?: Record<string, string> };

let server: TestApiServer;
let direct: KubeClient;
before(async () => {
  if (skip) return;
  server = await startApiServer();
  direct = new KubeClient(server.connection);
});
after(async () => {
  await direct?.[Symbol.asyncDispose]();
  await server?.stop();
});

/** A client whose connections can all be cut at once, as a tunnel's are. */
function cuttable(t: TestContext) {
  const sockets = new Set<Socket>();
  let blocked = false;
  const dialer: Dialer = async ({ host, port }) => {
    if (blocked) throw unavailable('the line is down');
    const socket = connect(port, host);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const client = new KubeClient({ ...server.connection, dialer });
  t.after(() => client[Symbol.asyncDispose]());
  return {
    client,
    block: (on: boolean) => {
      blocked = on;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function startCache(t: TestContext, client: KubeClient, options: WatchCacheOptions<ConfigMap>) {
  const cache = new WatchCache<ConfigMap>(client, configMaps, { backoff: { minMs: 5, maxMs: 100 }, ...options });
  const changes: Change<ConfigMap>[] = [];
  cache.subscribe(change => changes.push(change));
  const stop = new AbortController();
  const running = cache.run(stop.signal);
  t.after(async () => {
    stop.abort(new Error('test over'));
    await running.catch(() => {});
  });
  return { cache, changes, running };
}

async function makeNamespace(name: string): Promise<{ namespace: string }> {
  await direct.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return { namespace: name };
}

const configMap = (namespace: string, name: string, n: number): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { n: String(n) } },
  data: { n: String(n) },
});

test('across forty cuts every version of every object is seen, in order and once', {
  skip,
  timeout: 60_000,
}, async t => {
  const { namespace } = await makeNamespace('cuts');
  const { client, cut } = cuttable(t);
  const errors: string[] = [];
  const { cache, changes } = startCache(t, client, { namespace, onError: error => errors.push(error.reason) });
  await cache.synced();
  const wanted: string[] = [];
  for (let n = 0; n < 400; n++) {
    const name = `one-${n % 7}`;
    const object = configMap(namespace, name, n);
    if (n < 7) await direct.create(configMaps, object);
    else await direct.patch(configMaps, name, { data: { n: String(n) } }, { type: 'merge', namespace });
    wanted.push(`${name}=${n}`);
    if (n % 10 === 5) cut();
  }
  await direct.delete(configMaps, 'one-0', { namespace });
  await until('the deletion to arrive', () => cache.size === 6, { timeoutMs: 30_000 });
  const seen = changes.map(change =>
    change.type === 'deleted'
      ? `${change.old.metadata.name} deleted`
      : `${change.object.metadata.name}=${change.object.data?.['n']}`,
  );
  assert.deepEqual(seen, [...wanted, 'one-0 deleted']);
  assert.ok(errors.length >= 5 && errors.every(reason => reason === 'ServiceUnavailable'), errors.join());
  const { items } = await direct.list<ConfigMap>(configMaps, { namespace });
  assert.deepEqual(
    cache
      .list()
      .map(one => one.metadata.resourceVersion)
      .sort(),
    items.map(one => one.metadata.resourceVersion).sort(),
  );
});

test('after an outage and compaction it lists anew, in pages, and tells only what differs', {
  skip,
  timeout: 60_000,
}, async t => {
  const { namespace } = await makeNamespace('outage');
  for (let n = 0; n < 12; n++) await direct.create(configMaps, configMap(namespace, `x-${n}`, n));
  const { client, cut, block } = cuttable(t);
  const reasons = new Set<string>();
  const { cache, changes } = startCache(t, client, {
    namespace,
    pageSize: 5,
    onError: error => reasons.add(error.reason),
  });
  await cache.synced();
  assert.equal(cache.size, 12);
  const before = changes.length;
  // While the line is down the world goes on, and what happened is forgotten before the line is up again.
  block(true);
  cut();
  await direct.delete(configMaps, 'x-3', { namespace });
  await direct.patch(configMaps, 'x-4', { data: { n: 'new' } }, { type: 'merge', namespace });
  await server.stopServer();
  await server.compact();
  await server.startServer();
  block(false);
  await until(
    'the cache to be right again',
    () => cache.get(`${namespace}/x-4`)?.data?.['n'] === 'new' && cache.size === 11,
    {
      timeoutMs: 30_000,
    },
  );
  const told = changes.slice(before).map(change => `${change.type} ${change.key}`);
  assert.deepEqual(told.sort(), ['deleted outage/x-3', 'modified outage/x-4']);
  assert.deepEqual([...reasons].sort(), ['Expired', 'ServiceUnavailable']);
  await direct.create(configMaps, configMap(namespace, 'late', 1));
  await until('the watch to be open again', () => cache.get(`${namespace}/late`));
});

test('indexes follow the objects, transform drops fields and objects, managedFields are not kept', {
  skip,
}, async t => {
  const { namespace } = await makeNamespace('indexed');
  const { cache } = startCache(t, direct, {
    namespace,
    indexes: { n: object => (object.metadata.labels?.['n'] ? [object.metadata.labels['n']] : []) },
    transform: object => (object.metadata.name.startsWith('skip') ? undefined : { ...object, data: undefined }),
  });
  await cache.synced();
  for (const name of ['a', 'b', 'skip-1']) await direct.create(configMaps, configMap(namespace, name, 1));
  await until('both', () => cache.size === 2);
  assert.deepEqual(
    cache.byIndex('n', '1').map(one => one.metadata.name),
    ['a', 'b'],
  );
  await direct.patch(configMaps, 'a', { metadata: { labels: { n: '2' } } }, { type: 'merge', namespace });
  await until('the move', () => cache.byIndex('n', '2').length === 1);
  assert.deepEqual(
    cache.byIndex('n', '1').map(one => one.metadata.name),
    ['b'],
  );
  const kept = cache.get(`${namespace}/a`);
  assert.deepEqual([kept?.data, 'managedFields' in kept!.metadata], [undefined, false]);
  await direct.delete(configMaps, 'b', { namespace });
  await until('the deletion', () => cache.byIndex('n', '1').length === 0);
});

test('over its cap it ends with RequestEntityTooLarge and keeps nothing', { skip, timeout: 20_000 }, async t => {
  const { namespace } = await makeNamespace('capped');
  const { cache, running } = startCache(t, direct, { namespace, maxBytes: 20_000 });
  const ended = assert.rejects(running, error => hasReason(error, 'RequestEntityTooLarge'));
  await cache.synced();
  const big = { ...configMap(namespace, 'big', 1), data: { text: 'x'.repeat(30_000) } };
  await direct.create(configMaps, configMap(namespace, 'small', 1));
  await direct.create(configMaps, big);
  await ended;
  assert.deepEqual([cache.size, cache.bytes, cache.isSynced], [0, 0, false]);
  await ignoreNotFound(direct.delete(configMaps, 'big', { namespace }));
});
