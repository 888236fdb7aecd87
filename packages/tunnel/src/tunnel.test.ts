/** Server and client over a real websocket on loopback: streams, refusals, big bodies, loss of either end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { isUnavailable, silentLog, until } from '@drover/base';
import { addressOf } from './address.ts';
import { type ConnectTunnelOptions, connectTunnel } from './client.ts';
import { startServer } from './tunnel-fixture.ts';

async function dialTcp(target: { proto: string; address: string }): Promise<Socket> {
  const socket = connect(addressOf(target));
  await once(socket, 'connect');
  return socket;
}

function startClient(url: string, options: Partial<ConnectTunnelOptions> = {}) {
  const stop = new AbortController();
  const done = connectTunnel({
    url,
    headers: () => ({ 'X-Key': 'c-one' }),
    open: dialTcp,
    backoff: { minMs: 20, maxMs: 100 },
    signal: stop.signal,
    log: silentLog,
    ...options,
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

async function startEcho() {
  const server = createTcpServer(socket => socket.on('error', () => undefined).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

const within = { timeoutMs: 5000 };

test('bytes written to a stream come back from an echo behind the client', async () => {
  await using server = await startServer();
  await using _client = startClient(server.url);
  await using echo = await startEcho();
  await server.tunnel.waitFor('c-one', within);
  const stream = await server.tunnel.dialer('c-one')(echo.address);
  stream.write('hello');
  const [answer] = await once(stream, 'data');
  assert.equal(String(answer), 'hello');
  stream.destroy();
});

test('a dial without a session is ServiceUnavailable at once', async () => {
  await using server = await startServer();
  await assert.rejects(server.tunnel.dialer('c-none')({ host: 'a', port: 1 }), isUnavailable);
  assert.equal(server.tunnel.has('c-none'), false);
});

test('a refused dial fails its own stream with the reason, and no other', async () => {
  await using server = await startServer();
  await using _client = startClient(server.url, {
    open: async target => {
      if (target.address.startsWith('evil')) throw new Error('not allowed there');
      return dialTcp(target);
    },
  });
  await using echo = await startEcho();
  await server.tunnel.waitFor('c-one', within);
  const dial = server.tunnel.dialer('c-one');
  const good = await dial(echo.address);
  const bad = await dial({ host: 'evil', port: 80 });
  const [error] = await once(bad, 'error');
  assert.match((error as Error).message, /not allowed there/);
  good.write('still here');
  assert.equal(String((await once(good, 'data'))[0]), 'still here');
  good.destroy();
});

test('32 MiB arrive whole and in order through an echo that reads as fast as it can', async () => {
  await using server = await startServer();
  await using _client = startClient(server.url);
  await using echo = await startEcho();
  await server.tunnel.waitFor('c-one', within);
  const stream = await server.tunnel.dialer('c-one')(echo.address);
  const total = 32 * 1024 * 1024;
  const block = Buffer.alloc(65_536);
  void (async () => {
    for (let sent = 0; sent < total; sent += block.length) {
      const chunk = Buffer.from(block);
      chunk.writeUInt32LE(sent / block.length, 0);
      if (!stream.write(chunk)) await once(stream, 'drain');
    }
  })();
  let got = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at++) {
      const position = got + at;
      if (position % block.length === 0 && at + 4 <= chunk.length)
        assert.equal(chunk.readUInt32LE(at), position / block.length);
    }
    got += chunk.length;
    if (got === total) break;
  }
  assert.equal(got, total);
});

test('an HTTP request goes through a tunnel as through any socket', async () => {
  await using server = await startServer();
  await using _client = startClient(server.url);
  const backend = createServer((request, response) => response.end(`you asked ${request.url}`));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  await server.tunnel.waitFor('c-one', within);
  const stream = await server.tunnel.dialer('c-one')({
    host: '127.0.0.1',
    port: (backend.address() as AddressInfo).port,
  });
  const request = httpRequest({ createConnection: () => stream, path: '/ping' }).end();
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  assert.equal(text, 'you asked /ping');
  backend.close();
});

test('the opener may take the stream itself instead of dialling', async () => {
  await using server = await startServer();
  await using _client = startClient(server.url, { open: async () => stream => void stream.end('taken') });
  await server.tunnel.waitFor('c-one', within);
  const stream = await server.tunnel.dialer('c-one')({ host: 'x', port: 1 });
  let text = '';
  for await (const chunk of stream) text += chunk;
  assert.equal(text, 'taken');
});

test('a client whose socket is cut fails its streams and comes back by itself', async () => {
  const live: number[] = [];
  await using server = await startServer({ onSessions: (_key, count) => void live.push(count) });
  await using _client = startClient(server.url, { open: async () => () => undefined });
  await server.tunnel.waitFor('c-one', within);
  const stream = await server.tunnel.dialer('c-one')({ host: 'x', port: 1 });
  const failed = once(stream, 'error');
  for (const socket of server.sockets) socket.destroy();
  assert.ok(isUnavailable((await failed)[0]));
  await until('the client to come back', () => live.length === 3);
  assert.deepEqual(live, [1, 0, 1]);
});

test('both ends of ours hold as many sockets as asked for', async () => {
  await using server = await startServer();
  await using _client = startClient(server.url, { sockets: 3 });
  await until('three sessions', () => server.tunnel.sessions().length === 3);
});

test('waitFor gives up after its time', async () => {
  await using server = await startServer();
  await assert.rejects(server.tunnel.waitFor('c-none', { timeoutMs: 20 }), /waited 20 ms for c-none/);
});
