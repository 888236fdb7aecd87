/** Replicas on one store find each other and lend each other their agents; whoever isn't registered there gets nowhere. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { openSqliteStore, type Store } from '@drover/store';
import { connectTunnel, TunnelServer } from '@drover/tunnel';
import { WebSocket } from 'ws';
import { makePeerIdentity, parseRegistration, type Registration } from './peer-identity.ts';
import { startPeers } from './peers.ts';

let store: Store;
const stop = new AbortController();
const replicas = new Map<string, { tunnels: TunnelServer; life: AbortController; told: string[] }>();

async function startReplica(id: string): Promise<void> {
  const told: string[] = [];
  const tunnels = new TunnelServer({ log: silentLog, onPeerClient: key => told.push(key) });
  const life = new AbortController();
  stop.signal.addEventListener('abort', () => life.abort(), { once: true });
  replicas.set(id, { tunnels, life, told });
  const listen = { host: '127.0.0.1', port: 0 };
  await startPeers({ store, tunnels, id, listen, log: silentLog, signal: life.signal });
}

async function registrationOf(id: string): Promise<Registration> {
  return until('the registration', async () => parseRegistration((await store.get(`/replicas/${id}`))?.value ?? ''));
}

/** The status that a websocket dial of the peers' port ends with; 101 when it was taken in. */
async function dial(url: string, pair?: { readonly cert: string; readonly key: string }): Promise<number> {
  const socket = new WebSocket(`${url.replace('https', 'wss')}/v3/connect`, { rejectUnauthorized: false, ...pair });
  const status = await new Promise<number>((resolve, reject) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', reject);
  });
  socket.on('error', () => undefined);
  socket.terminate();
  return status;
}

before(async () => {
  store = await openSqliteStore({ path: ':memory:' });
  await startReplica('one');
  await startReplica('two');
});

after(async () => {
  stop.abort(new Error('the test is over'));
  for (const { tunnels } of replicas.values()) await tunnels[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

test('a client of one replica is reached through the other, and gone when it goes', async () => {
  const [one, two] = [replicas.get('one')!, replicas.get('two')!];
  const http = createServer();
  http.on('upgrade', (request, socket, head) => {
    void two.tunnels.accept(request, socket, head, { clientKey: 'c-far' });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const client = new AbortController();
  const done = connectTunnel({
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    headers: () => ({}),
    open: async () => new PassThrough(),
    signal: client.signal,
    log: silentLog,
  });
  await one.tunnels.waitFor('c-far', { timeoutMs: 5000 });
  assert.ok(one.told.includes('c-far'));
  const stream = await one.tunnels.dialer('c-far')({ host: '10.0.0.1', port: 443 });
  stream.write('echo');
  const [data] = (await once(stream, 'data')) as [Buffer];
  assert.equal(String(data), 'echo');
  stream.destroy();
  one.told.length = 0;
  client.abort();
  await done;
  await until('the client to be gone from the other replica', () => !one.tunnels.has('c-far'));
  assert.deepEqual(one.told, ['c-far']);
  http.close();
});

test('who shows no certificate, or one that is not registered, is refused', async () => {
  const { url } = await registrationOf('one');
  assert.equal(await dial(url), 403);
  const stranger = await makePeerIdentity('two');
  assert.equal(await dial(url, { cert: stranger.cert, key: stranger.key.reveal() }), 403);
  assert.deepEqual(
    [
      ...new Set(
        replicas
          .get('one')!
          .tunnels.sessions()
          .map(session => session.peer),
      ),
    ],
    ['two'],
  );
});

test('an address that shows another certificate than the registered one is not talked to', async () => {
  const { url, ca } = await registrationOf('two');
  const { fingerprint } = await makePeerIdentity('liar');
  await store.create('/replicas/liar', JSON.stringify({ id: 'liar', url, ca, fingerprint }));
  await startReplica('three');
  // The listener at that address is replica two's: it would take both dials in if both were gone through with.
  const fromThree = () =>
    replicas
      .get('two')!
      .tunnels.sessions()
      .filter(session => session.peer === 'three');
  await until('the new replica to be known', () => fromThree().length > 0);
  await until('it to be known by all', () => replicas.get('three')!.tunnels.sessions().length === 2);
  assert.equal(fromThree().length, 1);
});

test('a replica that ends is forgotten by the others', async () => {
  replicas.get('three')!.life.abort(new Error('ended'));
  await replicas.get('three')!.tunnels[Symbol.asyncDispose]();
  await until('it to be gone', async () => {
    const there = await store.get('/replicas/three');
    const sessions = replicas.get('one')!.tunnels.sessions();
    return !there && !sessions.some(session => session.peer === 'three');
  });
});
