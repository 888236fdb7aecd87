/** What is under way in a tunnel, over real sockets: bounded by the far end's answers to pings, whoever's far end it is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import type { TunnelServerOptions } from './server.ts';
import { startServer } from './tunnel-fixture.ts';

const MiB = 1024 * 1024;

/** A server, and a far end that reads all that it is sent and answers pings only when told to. */
async function start(options: Partial<TunnelServerOptions> = {}) {
  const server = await startServer(options);
  const agent = new WebSocket(server.url, { headers: { 'X-Key': 'c-one' }, perMessageDeflate: false, autoPong: false });
  let got = 0;
  agent.on('message', data => (got += (data as Buffer).length));
  await once(agent, 'open');
  await server.tunnel.waitFor('c-one', { timeoutMs: 2000 });
  const stream = await server.tunnel.dialer('c-one')({ host: '10.0.0.1', port: 443 });
  stream.on('error', () => undefined);
  return {
    agent,
    stream,
    got: () => got,
    async [Symbol.asyncDispose]() {
      stream.destroy();
      agent.terminate();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('no more than a window is under way before a ping is answered, and all arrives once it is', async () => {
  await using it = await start();
  it.stream.write(Buffer.alloc(20 * MiB));
  // All but what surrounds the messages, which isn't counted here.
  await until('a window', () => it.got() > 7.9 * MiB);
  let before = 0;
  await until('no more to come', () => before === (before = it.got()), { everyMs: 100 });
  assert.ok(before < 9 * MiB, `${before} bytes`);
  const answering = setInterval(() => it.agent.pong(''), 5);
  await until('all of it', () => it.got() > 20 * MiB).finally(() => clearInterval(answering));
});

test('a far end that answers no ping at all, but speaks, is sent on to', async () => {
  await using it = await start({ pingEveryMs: 50, silentAfterMs: 200 });
  const speaking = setInterval(() => it.agent.ping(), 20);
  it.stream.write(Buffer.alloc(20 * MiB));
  await until('all of it', () => it.got() > 20 * MiB).finally(() => clearInterval(speaking));
});
