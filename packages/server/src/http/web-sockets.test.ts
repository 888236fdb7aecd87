/** A client that answers is kept, and one that is silent is ended. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { endWhenSilent, webSockets } from './web-sockets.ts';

test('who answers stays, who is silent is ended', { timeout: 20_000 }, async t => {
  const sockets = webSockets({ maxPayload: 1024 });
  const server = createServer();
  let asked = 0;
  server.on('upgrade', (request, raw, head) =>
    sockets.handleUpgrade(request, raw, head, socket => {
      endWhenSilent(socket, 20, () => asked++);
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const alive = new WebSocket(url);
  for (let pings = 0; pings < 4; pings++) await once(alive, 'ping');
  assert.equal(alive.readyState, WebSocket.OPEN);
  assert.ok(asked >= 4);
  const silent = new WebSocket(url, { autoPong: false });
  const [code] = await once(silent, 'close');
  assert.equal(code, 1006);
  alive.terminate();
});
