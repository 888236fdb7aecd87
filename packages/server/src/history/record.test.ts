/** A cluster's past as it is recorded: from a stand-in for its API that lists and watches over real sockets into a store in memory. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { limited } from '@drover/engine';
import { openSqliteStore } from '@drover/store';
import type { Upstreams } from '../clusters/upstream.ts';
import type { HistoryEntry } from './entry.ts';
import { runHistory } from './record.ts';
import { readWish, select } from './route.ts';

interface StandIn extends AsyncDisposable {
  readonly url: string;
  /** Paths that were listed, and those that are watched now. */
  readonly listed: readonly string[];
  readonly watched: () => readonly string[];
  /** Lists wait while it is set. */
  hold: boolean;
  tell(path: string, type: string, object: object): void;
}

async function startStandIn(lists: Readonly<Record<string, readonly object[]>> = {}): Promise<StandIn> {
  const listed: string[] = [];
  const watchers = new Map<ServerResponse, string>();
  const held: (() => void)[] = [];
  const state = { hold: false };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    response.setHeader('content-type', 'application/json');
    if (url.searchParams.get('watch') === 'true') {
      watchers.set(response, url.pathname);
      response.once('close', () => watchers.delete(response));
      response.flushHeaders();
      return;
    }
    listed.push(url.pathname);
    const answer = () =>
      response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: lists[url.pathname] ?? [] }));
    if (state.hold) held.push(answer);
    else answer();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    listed,
    watched: () => [...watchers.values()],
    get hold() {
      return state.hold;
    },
    set hold(hold) {
      state.hold = hold;
      if (!hold) for (const answer of held.splice(0)) answer();
    },
    tell(path, type, object) {
      for (const [response, watched] of watchers)
        if (watched === path) response.write(`${JSON.stringify({ type, object })}\n`);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const upstreamsOf = (url: string): Upstreams => ({
  get: () => ({ clusterId: 'c-1', kind: 'local', origin: url }),
  connection: () => ({ server: url }),
  subscribe: () => undefined,
});

const deployment = (revision: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', uid: 'd-1', resourceVersion: revision },
  spec: { replicas },
  status: { replicas },
});
const event = (uid: string, count = 1) => ({
  metadata: { name: uid, namespace: 'shop', uid, resourceVersion: String(count + 1) },
  involvedObject: { kind: 'Pod', name: 'web-1' },
  type: 'Warning',
  reason: 'BackOff',
  message: 'it ends again and again',
  count,
  lastTimestamp: new Date().toISOString(),
});
const deployments = '/apis/apps/v1/deployments';
const events = '/api/v1/events';

async function recorded(t: { after(end: () => Promise<void>): void }, setting = 'on') {
  const cluster = await startStandIn({ [deployments]: [deployment('1', 1)], [events]: [event('e-0')] });
  const store = await openSqliteStore({ path: ':memory:' });
  const stop = new AbortController();
  const settings = { history: setting };
  const turn = limited(1);
  const run = (clusterId: string) =>
    runHistory(
      {
        ...{ store, upstreams: upstreamsOf(cluster.url), claim: () => [], log: silentLog, gatherMs: 5, turn },
        setting: () => settings.history,
      },
      clusterId,
      stop.signal,
    );
  const runs = [run('c-1')];
  t.after(async () => {
    stop.abort();
    await Promise.allSettled(runs);
    await cluster[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  const past = async (query = '', clusterId = 'c-1'): Promise<readonly HistoryEntry[]> =>
    (await select(store, readWish(new URLSearchParams(`clusterId=${clusterId}${query}`)), async () => true)).data;
  return { cluster, past, also: (clusterId: string) => runs.push(run(clusterId)) };
}

test('events and changes are kept; what was there before, and what only its status tells, is no change', async t => {
  const { cluster, past } = await recorded(t);
  await until('all kinds to be watched', () => cluster.watched().length === 7);
  cluster.tell(deployments, 'MODIFIED', { ...deployment('2', 1), status: { replicas: 9 } });
  cluster.tell(deployments, 'MODIFIED', deployment('3', 4));
  cluster.tell(events, 'MODIFIED', event('e-0', 5));
  cluster.tell(events, 'ADDED', event('e-1'));
  cluster.tell('/api/v1/configmaps', 'ADDED', {
    metadata: { name: 'app', namespace: 'shop', uid: 'c', resourceVersion: '4' },
    data: { password: 'canary' },
  });
  await until('all of it', async () => (await past()).length === 4);
  const [change] = await past('&kind=Deployment');
  assert.deepEqual([change!.what, change!.fields], ['changed', [{ path: 'spec.replicas', before: '1', after: '4' }]]);
  await until('the event to have come again', async () => (await past('&of=event')).some(({ count }) => count === 5));
  assert.deepEqual((await past('&of=event')).map(({ id }) => id).sort(), ['e-0', 'e-1']);
  assert.equal((await past('&kind=ConfigMap'))[0]!.what, 'made');
  assert.ok(!JSON.stringify(await past()).includes('canary'));
  cluster.tell(deployments, 'DELETED', deployment('5', 4));
  await until('its end', async () => (await past('&kind=Deployment'))[0]!.what === 'deleted');
});

test('clusters that come together are begun with one after the other', async t => {
  const { cluster, past, also } = await recorded(t);
  cluster.hold = true;
  also('c-2');
  await until('the first lists', () => cluster.listed.length >= 7);
  assert.ok(cluster.listed.length <= 7, 'the second waits for the first');
  cluster.hold = false;
  await until('the second', () => cluster.watched().length === 14);
  cluster.tell(events, 'ADDED', event('e-9'));
  for (const clusterId of ['c-1', 'c-2'])
    await until(`${clusterId} to be told`, async () => (await past('', clusterId)).some(({ id }) => id === 'e-9'));
});

test('where it is switched off nothing is asked of a cluster', async t => {
  const { cluster, past } = await recorded(t, 'off');
  const { cluster: other } = await recorded(t);
  await until('another one to be watched', () => other.watched().length === 7);
  assert.deepEqual([cluster.listed, await past()], [[], []]);
});
