/** Our tunnel against the real Go remotedialer v0.6.1: their client to our server, our client to their server, peers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLog, until } from '@drover/base';
import { addressOf, connectTunnel, type Target } from '@drover/tunnel';
import { listenTunnel } from './tunnel-listener.ts';
import { noGo, peerBinary, startPeer } from './tunnel-peer.ts';

const MiB = 1024 * 1024;

async function dialTcp(target: Target): Promise<Socket> {
  const socket = connect(addressOf(target));
  await once(socket, 'connect');
  return socket;
}

function startOurClient(url: string) {
  const stop = new AbortController();
  const done = connectTunnel({
    url,
    headers: () => ({ 'X-Key': 'c-one' }),
    open: dialTcp,
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

/** A raw stream through the Go server's tunnel. */
async function dialThrough(server: string, address: string): Promise<Duplex> {
  const [host, port] = server.split(':');
  const asked = request({
    host,
    port: Number(port),
    path: `/dial?key=c-one&address=${address}`,
    headers: { Connection: 'Upgrade', Upgrade: 'raw' },
  }).end();
  const [, socket, head] = (await once(asked, 'upgrade')) as [unknown, Duplex, Buffer];
  if (head.length > 0) socket.unshift(head);
  return socket;
}

async function hasClient(server: string): Promise<boolean> {
  return (await (await fetch(`http://${server}/has?key=c-one`)).text()) === 'true';
}

/** Reads the backend's counting words and checks each of them. */
async function readCounted(stream: Duplex, bytes: number, slowly?: () => Promise<void>): Promise<void> {
  let got = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const whole = data.length - (data.length % 4);
    for (let at = 0; at < whole; at += 4) {
      if (data.readUInt32LE(at) !== (got + at) / 4) assert.fail(`wrong word at byte ${got + at}`);
    }
    got += whole;
    rest = data.subarray(whole);
    if (got + rest.length >= bytes) break;
    await slowly?.();
  }
  assert.equal(got + rest.length, bytes);
}

async function withPeer(t: TestContext): Promise<boolean> {
  if (await peerBinary()) return true;
  t.skip(noGo);
  return false;
}

test('their client at our server: request and answer, refusal of a dead address, 64 MiB whole', async t => {
  if (!(await withPeer(t))) return;
  await using server = await listenTunnel();
  await using backend = await startPeer('-mode', 'backend');
  await using _client = await startPeer('-mode', 'client', '-url', `ws://${server.host}/connect`);
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  const address = addressOf({ proto: 'tcp', address: backend.address });
  const dial = server.tunnel.dialer('c-one');

  const asking = await dial(address);
  asking.write('rr 3\nask\n');
  assert.equal((await once(asking, 'data'))[0].length, 3);
  asking.destroy();

  const dead = await dial({ host: '127.0.0.1', port: 1 });
  assert.match(((await once(dead, 'error'))[0] as Error).message, /connection refused/);

  const bulk = await dial(address);
  bulk.write(`source ${64 * MiB}\n`);
  await readCounted(bulk, 64 * MiB);
  assert.equal(server.tunnel.sessions()[0]!.agent, 'rancher');
});

test('our client at their server: 64 MiB down, 64 MiB up, whole', async t => {
  if (!(await withPeer(t))) return;
  await using server = await startPeer('-mode', 'server');
  await using backend = await startPeer('-mode', 'backend');
  await using _client = startOurClient(`ws://${server.address}/connect`);
  await until('the Go server to have our client', () => hasClient(server.address));

  const down = await dialThrough(server.address, backend.address);
  down.write(`source ${64 * MiB}\n`);
  await readCounted(down, 64 * MiB);
  down.destroy();

  const up = await dialThrough(server.address, backend.address);
  up.write(`sink ${64 * MiB}\n`);
  for (let sent = 0; sent < 64 * MiB; sent += MiB) if (!up.write(Buffer.alloc(MiB))) await once(up, 'drain');
  assert.equal(String((await once(up, 'data'))[0]), 'ok');
  up.destroy();
});

test('a slow reader at our server pauses their client: memory stays bounded and every byte arrives', async t => {
  if (!(await withPeer(t))) return;
  await using server = await listenTunnel();
  await using backend = await startPeer('-mode', 'backend');
  await using _client = await startPeer('-mode', 'client', '-url', `ws://${server.host}/connect`);
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  const address = addressOf({ proto: 'tcp', address: backend.address });
  const slow = await server.tunnel.dialer('c-one')(address);
  slow.write(`source ${96 * MiB}\n`);
  await until('the stream to be paused', () => server.tunnel.sessions()[0]!.pausedStreams === 1);
  // What was on its way still arrives; then nothing more does.
  let before = -1;
  await until('the far end to stop', async () => {
    const now = server.tunnel.sessions()[0]!.bytesIn;
    const still = now === before;
    before = now;
    await pause(100);
    return still;
  });
  assert.ok(slow.readableLength < 16 * MiB, `buffered ${slow.readableLength}`);
  const other = await server.tunnel.dialer('c-one')(address);
  other.write('rr 3\nask\n');
  assert.equal((await once(other, 'data'))[0].length, 3);
  other.destroy();
  await readCounted(slow, 96 * MiB);
});

test('a slow reader at their server pauses our client, and every byte arrives', async t => {
  if (!(await withPeer(t))) return;
  await using server = await startPeer('-mode', 'server');
  await using backend = await startPeer('-mode', 'backend');
  await using _client = startOurClient(`ws://${server.address}/connect`);
  await until('the Go server to have our client', () => hasClient(server.address));
  const slow = await dialThrough(server.address, backend.address);
  slow.write(`source ${48 * MiB}\n`);
  let turns = 0;
  await readCounted(slow, 48 * MiB, async () => {
    if (++turns % 64 === 0) await pause(20);
  });
  slow.destroy();
});

test('a slow backend behind their client holds back a writer at our server', async t => {
  if (!(await withPeer(t))) return;
  await using server = await listenTunnel();
  await using _client = await startPeer('-mode', 'client', '-url', `ws://${server.host}/connect`);
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  let taken: Socket | undefined;
  const backend = createServer(socket => {
    taken = socket.pause();
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port } = backend.address() as AddressInfo;
  const writer = await server.tunnel.dialer('c-one')({ host: '127.0.0.1', port });
  writer.on('error', () => undefined);
  let sent = 0;
  const feed = () => {
    while (writer.write(Buffer.alloc(65_536))) sent += 65_536;
    sent += 65_536;
  };
  writer.on('drain', feed);
  feed();
  let before = -1;
  await until('the writer to be held', async () => {
    const still = sent === before && taken !== undefined;
    before = sent;
    await pause(300);
    return still;
  });
  assert.ok(sent < 64 * MiB, `wrote ${sent} bytes to somebody who reads none`);
  taken!.on('error', () => undefined).resume();
  await until('the writer to go on', () => sent > before + 4 * MiB);
  writer.destroy();
  backend.close();
  taken!.destroy();
});
