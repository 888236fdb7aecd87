/** Far ends that stop answering without closing: a stopped Go client, a stopped server, a proxy between the ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { connectTunnel } from '@drover/tunnel';
import { listenTunnel } from './tunnel-listener.ts';
import { noGo, peerBinary, startPeer } from './tunnel-peer.ts';

test('a Go client that is stopped in its tracks is dead within 5 s and a bit, and its streams fail with the cause', async t => {
  if (!(await peerBinary())) return t.skip(noGo);
  await using server = await listenTunnel();
  await using backend = await startPeer('-mode', 'backend');
  await using client = await startPeer('-mode', 'client', '-url', `ws://${server.host}/connect`);
  await server.tunnel.waitFor('c-one', { timeoutMs: 5000 });
  const stream = await server.tunnel.dialer('c-one')({
    host: '127.0.0.1',
    port: Number(backend.address.split(':')[1]),
  });
  stream.write('echo\nx');
  await once(stream, 'data');
  const failed = once(stream, 'error');
  client.process.kill('SIGSTOP');
  const start = performance.now();
  assert.match(((await failed)[0] as Error).message, /nothing heard for 5\d\d\d ms/);
  const tookMs = performance.now() - start;
  assert.ok(tookMs > 2500 && tookMs < 6000, `took ${tookMs} ms`);
  assert.equal(server.tunnel.has('c-one'), false);
});

test('our client notices a link that swallows everything, and comes back over another', async () => {
  await using server = await listenTunnel();
  let swallow = false;
  const ends: Socket[] = [];
  // A link as a NAT box that has forgotten the connection makes it: open at both ends, carrying nothing.
  const link = createServer(near => {
    const far = connect(Number(server.host.split(':')[1]), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', chunk => swallow || to.write(chunk));
      from.on('close', () => swallow || to.destroy()).on('error', () => undefined);
      ends.push(from);
    }
  }).listen(0, '127.0.0.1');
  await once(link, 'listening');
  const stop = new AbortController();
  let lost: Error | undefined;
  let up = 0;
  const done = connectTunnel({
    url: `ws://127.0.0.1:${(link.address() as { port: number }).port}/connect`,
    headers: () => ({ 'X-Key': 'c-one' }),
    open: async () => () => undefined,
    onConnected: () => void up++,
    onDisconnected: error => {
      lost = error;
      swallow = false;
    },
    backoff: { minMs: 20, maxMs: 100 },
    signal: stop.signal,
    log: silentLog,
  });
  await until('the client to be connected', () => up === 1);
  swallow = true;
  await until('the client to notice', () => lost, { timeoutMs: 9000 });
  assert.match(lost!.message, /nothing heard for/);
  await until('the client to be back', () => up === 2);
  stop.abort();
  await done;
  for (const end of ends) end.destroy();
  link.close();
});
