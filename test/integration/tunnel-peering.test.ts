/** Servers that lend each other their clients: two of ours, and one of ours with a Go remotedialer, both ways. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { isUnavailable, silentLog, until } from '@drover/base';
import { addressOf, connectTunnel, type Target } from '@drover/tunnel';
import { type Listener, listenTunnel } from './tunnel-listener.ts';
import { noGo, peerBinary, startPeer } from './tunnel-peer.ts';

async function dialTcp(target: Target): Promise<Socket> {
  const socket = connect(addressOf(target));
  await once(socket, 'connect');
  return socket;
}

function startClient(host: string, open = dialTcp as (target: Target) => Promise<Socket>) {
  const stop = new AbortController();
  const done = connectTunnel({
    url: `ws://${host}/connect`,
    headers: () => ({ 'X-Key': 'c-one' }),
    open,
    backoff: { minMs: 20, maxMs: 200 },
    signal: stop.signal,
    log: silentLog,
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

function peerOf(own: string, other: { id: string; host: string }) {
  return {
    id: other.id,
    url: `ws://${other.host}/peer`,
    headers: () => ({ 'X-API-Tunnel-ID': own, 'X-API-Tunnel-Token': 'shared' }),
    backoff: { minMs: 20, maxMs: 100 },
  };
}

async function ask(listener: Listener, backend: string): Promise<number> {
  const stream = await listener.tunnel.dialer('c-one')(addressOf({ proto: 'tcp', address: backend }));
  stream.write('rr 7\nask\n');
  const [answer] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  return answer.length;
}

test('two of our servers reach each other’s client, forget it when it goes, and never go round in circles', async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using backend = await startPeer('-mode', 'backend');
  await using one = await listenTunnel({ peerStateEveryMs: 100 });
  await using two = await listenTunnel({ peerStateEveryMs: 100 });
  one.tunnel.addPeer(peerOf('one', { id: 'two', host: two.host }));
  two.tunnel.addPeer(peerOf('two', { id: 'one', host: one.host }));
  {
    await using _client = startClient(one.host);
    await two.tunnel.waitFor('c-one', { timeoutMs: 5000 });
    assert.equal(await ask(two, backend.address), 7);
    assert.equal(await ask(one, backend.address), 7);
  }
  await until('both to forget the client', () => !one.tunnel.has('c-one') && !two.tunnel.has('c-one'));
  await assert.rejects(two.tunnel.dialer('c-one')({ host: 'a', port: 1 }), isUnavailable);
});

test('a client that hops from one server to the other is found again through the peer', async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using backend = await startPeer('-mode', 'backend');
  await using one = await listenTunnel({ peerStateEveryMs: 100 });
  await using two = await listenTunnel({ peerStateEveryMs: 100 });
  one.tunnel.addPeer(peerOf('one', { id: 'two', host: two.host }));
  two.tunnel.addPeer(peerOf('two', { id: 'one', host: one.host }));
  for (const [near, far] of [
    [one, two],
    [two, one],
  ] as const) {
    await using _client = startClient(near.host);
    await far.tunnel.waitFor('c-one', { timeoutMs: 5000 });
    await until('an answer over the peer', async () => (await ask(far, backend.address)) === 7);
  }
});

test('a removed peer lends nothing any more', async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using one = await listenTunnel();
  await using two = await listenTunnel();
  one.tunnel.addPeer(peerOf('one', { id: 'two', host: two.host }));
  await using _client = startClient(one.host);
  await two.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  one.tunnel.removePeer('two');
  await until('the client to be out of reach', () => !two.tunnel.has('c-one'));
});

test('a Go server as our peer reaches our client, and we reach its client', async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using backend = await startPeer('-mode', 'backend');
  await using ours = await listenTunnel();
  const flags = ['-mode', 'server', '-peer-id', 'theirs', '-peer-token', 'shared'];
  await using theirs = await startPeer(...flags, '-peers', `ours=ws://${ours.host}/peer`);
  const theyHave = async () => (await (await fetch(`http://${theirs.address}/has?key=c-one`)).text()) === 'true';
  {
    await using _theirClient = await startPeer('-mode', 'client', '-url', `ws://${theirs.address}/connect`);
    await ours.tunnel.waitFor('c-one', { timeoutMs: 5000 });
    assert.equal(await ask(ours, backend.address), 7);
  }
  await until('its client to be forgotten', () => !ours.tunnel.has('c-one'));
  ours.tunnel.addPeer({ ...peerOf('ours', { id: 'theirs', host: '' }), url: `ws://${theirs.address}/connect` });
  await using _ourClient = startClient(ours.host);
  await until('the Go server to know our client', theyHave);
  const answer = await fetch(
    `http://${theirs.address}/load?${new URLSearchParams({ kind: 'kept', key: 'c-one', address: backend.address, connections: '1', ms: '200' })}`,
  );
  const { done, failed } = (await answer.json()) as { done: number; failed: number };
  assert.ok(done > 10 && failed === 0, `${done} answered, ${failed} failed`);
});
