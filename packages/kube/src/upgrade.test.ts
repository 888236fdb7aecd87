/** An upgraded connection whose first messages come together with the answer: nothing of it is lost. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { KubeClient } from './client.ts';

const frame = (opcode: number, body: Buffer) => Buffer.concat([Buffer.of(0x80 | opcode, body.length), body]);

test('what comes with the answer itself is heard, and so is its end', { timeout: 10_000 }, async t => {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const head = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      'Sec-WebSocket-Protocol: v4.channel.k8s.io',
    ];
    const messages = ['\u00011049', '\u0003{"status":"Success"}'].map(text => frame(2, Buffer.from(text)));
    socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), ...messages, frame(8, Buffer.of(3, 232))]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using client = new KubeClient({ server: url });
  const heard: string[] = [];
  const socket = await client.upgrade('/exec', { protocols: ['v4.channel.k8s.io'] });
  socket.on('message', (data: Buffer) => heard.push(data.toString('utf8')));
  await once(socket, 'close');
  assert.deepEqual(heard, ['\u00011049', '\u0003{"status":"Success"}']);
});
