/** Frames of every length that a header can tell, read by a WebSocket client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame } from './text-frame.ts';

test('a client reads each frame as it was meant, between others that the server sends', async () => {
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  const lengths = [0, 60, 111, 112, 113, 65_520, 65_521, 65_522, 200_000];
  server.on('upgrade', (request, raw, head) =>
    sockets.handleUpgrade(request, raw, head, socket => {
      for (const length of lengths) {
        raw.write(textFrame({ text: 'ä'.repeat(length % 2) + 'x'.repeat(length) }));
        socket.ping();
      }
      socket.close();
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const seen: number[] = [];
  client.on('message', (data, isBinary) => {
    assert.equal(isBinary, false);
    seen.push((JSON.parse(String(data)) as { text: string }).text.replace('ä', '').length);
  });
  const [code] = await once(client, 'close');
  assert.deepEqual([code, seen], [1005, lengths]);
  server.close();
});
