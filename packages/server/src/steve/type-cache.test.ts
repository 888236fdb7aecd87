/** A list that is read for the first time, page by page, from a server that holds pages back or fails. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { KubeClient } from '@drover/kube';
import { CacheWorker } from './cache/cache-worker.ts';
import type { Query } from './cache/sql.ts';
import type { SteveType } from './steve-type.ts';
import { TypeCache } from './type-cache.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-type-cache-'));
const worker = new CacheWorker(dir);
/** Lists that have been asked for and not answered yet; watches stay silent. */
const asked: { readonly url: URL; readonly response: ServerResponse }[] = [];
const server = createServer(({ url = '' }, response) => {
  const question = { url: new URL(url, 'http://x'), response };
  if (!question.url.searchParams.has('watch')) asked.push(question);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const client = new KubeClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
after(async () => {
  await client[Symbol.asyncDispose]();
  server.close();
  server.closeAllConnections();
  await worker[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

const type = {
  id: 'configmap',
  kind: 'ConfigMap',
  plural: 'configmaps',
  resource: 'configmaps',
  group: '',
  version: 'v1',
  namespaced: true,
  verbs: ['list', 'watch'],
  ref: { apiVersion: 'v1', resource: 'configmaps', namespaced: true },
} as unknown as SteveType;
let tables = 0;
let cache = newCache();
afterEach(async () => {
  await cache.stop();
  for (const { response } of asked.splice(0)) response.destroy();
  cache = newCache();
});

function newCache(): TypeCache {
  const table = `test/${++tables}`;
  return new TypeCache({ worker, client, type, table, maxBytes: 1 << 20, log: silentLog });
}

/** The next question, once it is there. */
async function next() {
  await until('a question', () => asked.length > 0, { timeoutMs: 5000, everyMs: 5 });
  return asked.shift()!;
}

function fail({ response }: { readonly response: ServerResponse }): void {
  response.statusCode = 500;
  response.end('{"kind":"Status","message":"etcd is away","reason":"InternalError","code":500}');
}

function page(names: readonly string[], more: { continue?: string; remainingItemCount?: number } = {}): string {
  const items = names.map(name => ({ metadata: { name, namespace: 'default', resourceVersion: '7' } }));
  return JSON.stringify({
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7', ...more },
    items,
  });
}

async function namesNow(): Promise<string[]> {
  const query: Query = {
    reach: 'all',
    filters: [],
    sort: [],
    summary: [],
    summaryOnly: false,
    summaryNamespaced: false,
  };
  return (await worker.calls.query(cache.table, query, { managed: false })).rows.map(({ name }) => name);
}

const isSettled = (promise: Promise<void>) =>
  Promise.race([promise.then(() => true), new Promise<false>(resolve => setImmediate(resolve, false))]);

test('the first page can be read while the second is on its way', async () => {
  const whole = cache.ready();
  const early = cache.ready({ early: true });
  (await next()).response.end(page(['a', 'b'], { continue: 'more', remainingItemCount: 1 }));
  await early;
  assert.deepEqual(cache.reading, { read: 2, of: 3 });
  assert.equal(cache.version, '');
  assert.deepEqual(await namesNow(), ['a', 'b']);
  const second = await next();
  assert.equal(second.url.searchParams.get('continue'), 'more');
  assert.equal(await isSettled(whole), false);
  second.response.end(page(['c']));
  await whole;
  assert.equal(cache.reading, undefined);
  assert.equal(cache.version, '7');
  assert.deepEqual(await namesNow(), ['a', 'b', 'c']);
  await cache.ready({ early: true });
});

test('how many are to come is left out where the server does not say', async () => {
  const early = cache.ready({ early: true });
  (await next()).response.end(page(['a'], { continue: 'more' }));
  await early;
  assert.deepEqual(cache.reading, { read: 1 });
  // On its way by now, it would be taken for one of the next test's.
  await next();
});

test('a list that fails again and again says why at once, and is there when it is read after all', async () => {
  const first = assert.rejects(cache.ready(), /etcd is away/);
  const early = assert.rejects(cache.ready({ early: true }), /etcd is away/);
  for (let tries = 0; tries < 3; tries++) fail(await next());
  await Promise.all([first, early]);
  await assert.rejects(cache.ready(), /etcd is away/);
  (await next()).response.end(page(['a']));
  await until('it is read', () => cache.version === '7', { timeoutMs: 5000, everyMs: 5 });
  await cache.ready();
  assert.deepEqual(await namesNow(), ['a']);
});

test('one that fails in its middle says so also to those whom some of it would do', async () => {
  const early = cache.ready({ early: true });
  (await next()).response.end(page(['a'], { continue: 'more' }));
  await early;
  const whole = assert.rejects(cache.ready(), /etcd is away/);
  fail(await next());
  for (let tries = 0; tries < 2; tries++) {
    (await next()).response.end(page(['a'], { continue: 'more' }));
    fail(await next());
  }
  await whole;
  await assert.rejects(cache.ready({ early: true }), /etcd is away/);
});
