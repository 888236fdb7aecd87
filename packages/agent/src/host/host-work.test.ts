/** A host is idle again whatever became of what its server asked for, over a real tunnel. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { silentLog, until, withSignal } from '@drover/base';
import { connectRemote, serveHost } from '@drover/engine';
import { connectTunnel, TunnelServer } from '@drover/tunnel';
import { HostWork } from './host-work.ts';

async function startHost() {
  const stop = new AbortController();
  const tunnels = new TunnelServer({ log: silentLog });
  const http = createHttpServer();
  const sockets = new Set<Duplex>();
  http.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    void tunnels.accept(request, socket, head, { clientKey: 'host' }).catch(() => undefined);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const work = new HostWork();
  let connected = 0;
  const agent = connectTunnel({
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    headers: async () => ({}),
    sockets: 1,
    open: async () => stream => void work.add(serveHost(stream)),
    onConnected: () => connected++,
    backoff: { minMs: 20, maxMs: 100 },
    signal: stop.signal,
    log: silentLog,
  });
  const dial = tunnels.dialer('host');
  await tunnels.waitFor('host', { timeoutMs: 5000 });
  return {
    machine: connectRemote({ host: 'a', open: signal => dial({ host: 'engine', port: 80 }, { signal }) }),
    idle: () => withSignal(work.idle(), AbortSignal.timeout(10_000)),
    async cut() {
      const before = connected;
      for (const socket of sockets) socket.destroy();
      await until('it to be back', () => connected > before && tunnels.has('host'));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await agent;
      await tunnels[Symbol.asyncDispose]();
      http.close();
    },
  };
}

test('after commands that ended, were given up, or lost their server', async () => {
  await using host = await startHost();
  assert.equal((await host.machine.run(['true'])).code, 0);
  await host.idle();
  const over = new AbortController();
  const endless = host.machine.run(['yes'], { signal: over.signal, onOutput: () => over.abort() });
  await assert.rejects(endless);
  await host.idle();
  const talking = new AbortController();
  const lost = host.machine.run(['sh', '-c', 'while :; do echo much; done'], { onOutput: () => talking.abort() });
  await once(talking.signal, 'abort');
  const ended = assert.rejects(lost, /a: /);
  await host.cut();
  await ended;
  await host.idle();
});

test('after connections that were refused, closed, or lost their server', async () => {
  await using host = await startHost();
  const server = createServer(socket => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const first = await host.machine.dialer(address);
  first.write('hello');
  await once(first, 'data');
  first.destroy();
  await host.idle();
  const second = await host.machine.dialer(address);
  second.on('error', () => {});
  await host.cut();
  await host.idle();
  await new Promise(resolve => server.close(resolve));
  await assert.rejects(host.machine.dialer(address), /a: /);
  await host.idle();
});
