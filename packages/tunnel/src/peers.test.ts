/** What a peer may and may not do to us, said by a peer that the test scripts message by message. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeMessage, encodeMessage, type Message, messageType } from './message.ts';
import { TunnelServer } from './server.ts';

async function startServer() {
  const tunnel = new TunnelServer({ log: silentLog, peerStateEveryMs: 50 });
  const http = createServer();
  http.on('upgrade', (request, socket, head) => {
    void tunnel.acceptPeer(request, socket, head, { id: String(request.headers['x-id']) });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    tunnel,
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await tunnel[Symbol.asyncDispose]();
      http.close();
    },
  };
}

function scripted(websocket: WebSocket) {
  const heard: Message[] = [];
  websocket.on('message', data => heard.push(decodeMessage(data as Buffer)));
  return {
    websocket,
    heard,
    say: (type: number, connectionId: number, payload: string) =>
      websocket.send(encodeMessage({ type, connectionId, payload: Buffer.from(payload) })),
    next: (type: number) => until(`message ${type}`, () => heard.find(message => message.type === type)),
    [Symbol.dispose]: () => websocket.terminate(),
  };
}

async function dialAs(url: string, id: string, instance = 'first') {
  const headers = { 'X-Id': id, 'X-Drover-Tunnel': '1', 'X-Drover-Instance': instance };
  const peer = scripted(new WebSocket(url, { headers, perMessageDeflate: false }));
  await once(peer.websocket, 'open');
  return peer;
}

test('a stream to a peer’s client goes out as clientKey::proto, and an answer of "not here" heals the stale entry', async () => {
  await using server = await startServer();
  using peer = await dialAs(server.url, 'two');
  peer.say(messageType.addClient, 0, 'c-far/7');
  await server.tunnel.waitFor('c-far', { timeoutMs: 2000 });
  const stream = await server.tunnel.dialer('c-far')({ host: '10.43.0.1', port: 443 });
  const asked = await peer.next(messageType.connect);
  assert.equal(String(asked.payload), 'c-far::tcp/10.43.0.1:443');
  const failed = once(stream, 'error', { signal: AbortSignal.timeout(5000) });
  peer.say(messageType.error, asked.connectionId, 'failed to find Session for client c-far');
  await failed;
  assert.equal(server.tunnel.has('c-far'), false);
});

test('the full list of clients replaces what was advertised before it', async () => {
  await using server = await startServer();
  using peer = await dialAs(server.url, 'two');
  peer.say(messageType.addClient, 0, 'c-old/1');
  await server.tunnel.waitFor('c-old', { timeoutMs: 2000 });
  peer.say(messageType.clients, 0, '[["c-new","2"]]');
  await server.tunnel.waitFor('c-new', { timeoutMs: 2000 });
  assert.equal(server.tunnel.has('c-old'), false);
});

test('a restarted peer replaces its former self with all that it had advertised', async () => {
  await using server = await startServer();
  using before = await dialAs(server.url, 'two');
  before.say(messageType.addClient, 0, 'c-far/7');
  await server.tunnel.waitFor('c-far', { timeoutMs: 2000 });
  using _after = await dialAs(server.url, 'two', 'second');
  await until('the old entry to be gone', () => !server.tunnel.has('c-far'));
});

test('a list of clients that is no such list ends the peer’s session', async () => {
  await using server = await startServer();
  using peer = await dialAs(server.url, 'two');
  peer.say(messageType.clients, 0, '{"c-far":1}');
  await once(peer.websocket, 'close');
});

test('what a peer asks for is served from our own sessions alone, never from another peer', async t => {
  await using server = await startServer();
  using far = await dialAs(server.url, 'three');
  far.say(messageType.addClient, 0, 'c-far/7');
  await server.tunnel.waitFor('c-far', { timeoutMs: 2000 });
  const listener = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => listener.close());
  await once(listener, 'listening');
  server.tunnel.addPeer({
    id: 'two',
    url: `ws://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    headers: () => ({}),
  });
  const [websocket] = (await once(listener, 'connection')) as [WebSocket];
  using asking = scripted(websocket);
  asking.say(messageType.connect, 2, 'c-far::tcp/10.0.0.1:443');
  const answer = await asking.next(messageType.error);
  assert.equal(String(answer.payload), 'failed to find Session for client c-far');
  assert.ok(!far.heard.some(message => message.type === messageType.connect));
});
