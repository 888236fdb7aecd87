/** Joined streams over real sockets: nothing that was sent before the end is lost, whoever ends first. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { until } from './abort.ts';
import { splice } from './splice.ts';

/** A relay between a client and `far`, each a real socket. */
async function relay(far: (socket: Socket) => void) {
  const target = createServer({ allowHalfOpen: true }, far);
  const middle = createServer(socket => {
    const upstream = connect((target.address() as AddressInfo).port, '127.0.0.1');
    void splice(socket, upstream);
  });
  await Promise.all([target, middle].map(server => once(server.listen(0, '127.0.0.1'), 'listening')));
  const sockets = new Set<Socket>();
  for (const server of [target, middle]) server.on('connection', socket => sockets.add(socket));
  return {
    port: (middle.address() as AddressInfo).port,
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      for (const server of [target, middle] as Server[]) server.close();
    },
  };
}

async function readAll(socket: Socket): Promise<number> {
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

test('what the far side sent before its end arrives, though the near side goes on talking', async () => {
  for (let round = 0; round < 50; round++) {
    using it = await relay(socket => {
      socket.on('error', () => {});
      socket.write(Buffer.alloc(300_000));
      socket.end('goodbye');
    });
    const client = connect(it.port, '127.0.0.1');
    client.on('error', () => {});
    const chatter = setInterval(() => client.writable && client.write('x'.repeat(1000)), 1);
    const bytes = await readAll(client);
    clearInterval(chatter);
    assert.equal(bytes, 300_007);
  }
});

test('a slow reader gets all of it after the sender has gone', async () => {
  using it = await relay(socket => socket.end(Buffer.alloc(8 << 20)));
  const client = connect(it.port, '127.0.0.1');
  client.pause();
  await until('the far side to be done', () => [...it.sockets].some(socket => socket.writableFinished), {
    timeoutMs: 5000,
  }).catch(() => undefined);
  assert.equal(await readAll(client), 8 << 20);
});

test('a side that breaks takes the other with it', async () => {
  let seen: Socket | undefined;
  using it = await relay(socket => {
    seen = socket;
    socket.on('error', () => {});
  });
  const client = connect(it.port, '127.0.0.1');
  await once(client, 'connect');
  await until('the far side', () => seen);
  client.on('error', () => {});
  client.resetAndDestroy();
  await until('the far side to be closed', () => seen!.destroyed || seen!.readableEnded);
});

test('it resolves when both are closed', async () => {
  const done = Promise.withResolvers<void>();
  const target = createServer(socket => socket.end('x'));
  const middle = createServer(
    socket => void splice(socket, connect((target.address() as AddressInfo).port, '127.0.0.1')).then(done.resolve),
  );
  await Promise.all([target, middle].map(server => once(server.listen(0, '127.0.0.1'), 'listening')));
  const client = connect((middle.address() as AddressInfo).port, '127.0.0.1');
  assert.equal(await readAll(client), 1);
  await done.promise;
  target.close();
  middle.close();
});
