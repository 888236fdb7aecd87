/** What a far end may try: each is refused, counted or ends its own session, and never touches another's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage, encodeSync, type Message, messageType } from './message.ts';
import type { TunnelServer } from './server.ts';
import { startServer } from './tunnel-fixture.ts';

const MiB = 1024 * 1024;

/** A far end that says just what the test makes it say. */
async function startAgent(server: { url: string; tunnel: TunnelServer }, key = 'c-one') {
  const websocket = new WebSocket(server.url, { headers: { 'X-Key': key }, perMessageDeflate: false });
  const heard: Message[] = [];
  websocket.on('message', data => heard.push(decodeMessage(data as Buffer)));
  await once(websocket, 'open');
  await server.tunnel.waitFor(key, { timeoutMs: 2000 });
  return {
    websocket,
    heard,
    say: (type: number, connectionId: number, payload: string | Buffer = '') =>
      websocket.send(encodeMessage({ type, connectionId, payload: Buffer.from(payload) })),
    next: (type: number) => until(`message ${type}`, () => heard.find(message => message.type === type)),
    [Symbol.dispose]: () => websocket.terminate(),
  };
}

const only = (tunnel: TunnelServer) => tunnel.sessions()[0]!;
const anywhere = { host: '10.0.0.1', port: 443 };

test('a Connect from an agent is refused with an Error for that id, and the tunnel lives on', async () => {
  await using server = await startServer();
  using agent = await startAgent(server);
  agent.say(messageType.connect, 77, 'tcp/127.0.0.1:22');
  const answer = await agent.next(messageType.error);
  assert.equal(answer.connectionId, 77);
  assert.equal(String(answer.payload), 'connect not allowed');
  assert.deepEqual([only(server.tunnel).refused, only(server.tunnel).streams], [1, 0]);
});

test('a Connect on a live id does nothing to the stream that has it', async () => {
  await using server = await startServer();
  using agent = await startAgent(server);
  const stream = await server.tunnel.dialer('c-one')(anywhere);
  const { connectionId } = await agent.next(messageType.connect);
  agent.say(messageType.connect, connectionId, 'tcp/127.0.0.1:22');
  agent.say(messageType.data, connectionId, 'mine');
  assert.equal(String((await once(stream, 'data'))[0]), 'mine');
  stream.destroy();
});

test('who writes to a stream that failed hears of it, although what came before is not read yet', async () => {
  await using server = await startServer();
  using agent = await startAgent(server);
  const stream = await server.tunnel.dialer('c-one')(anywhere);
  const failed = once(stream, 'error');
  const { connectionId } = await agent.next(messageType.connect);
  agent.say(messageType.data, connectionId, 'unread');
  agent.say(messageType.error, connectionId, 'it broke');
  await until('the failure', () => only(server.tunnel).streams === 0);
  const written = new Promise(resolve => stream.write('too late', resolve));
  assert.equal(String(stream.read()), 'unread');
  assert.match(String(await written), /it broke/);
  assert.match(String(await failed), /it broke/);
});

test('AddClient, RemoveClient and a list of clients from an agent are ignored and counted', async () => {
  await using server = await startServer();
  using agent = await startAgent(server);
  using _other = await startAgent(server, 'c-two');
  agent.say(messageType.addClient, 0, 'c-three/1');
  agent.say(messageType.removeClient, 0, 'c-two/1');
  agent.say(messageType.clients, 0, '[["c-three","1"]]');
  await until('all to be counted', () => only(server.tunnel).refused === 3);
  assert.deepEqual(
    ['c-one', 'c-two', 'c-three'].map(key => server.tunnel.has(key)),
    [true, true, false],
  );
});

test('an id of another agent means nothing: Data on it reaches nobody and is answered with an Error', async () => {
  await using server = await startServer();
  using agent = await startAgent(server);
  using other = await startAgent(server, 'c-two');
  const stream = await server.tunnel.dialer('c-two')(anywhere);
  const { connectionId } = await other.next(messageType.connect);
  let got = 0;
  stream.on('data', () => got++);
  agent.say(messageType.data, connectionId, 'for somebody else');
  const answer = await agent.next(messageType.error);
  assert.match(String(answer.payload), /^connection not found/);
  assert.equal(got, 0);
  stream.destroy();
});

for (const [what, speak] of [
  ['a text message', (ws: WebSocket) => ws.send('hello')],
  ['a truncated varint', (ws: WebSocket) => ws.send(Buffer.from([0xff]))],
  ['a varint beyond 64 bits', (ws: WebSocket) => ws.send(Buffer.alloc(12, 0xff))],
  ['an empty message', (ws: WebSocket) => ws.send(Buffer.alloc(0))],
  ['a Connect without a slash', (ws: WebSocket) => ws.send(Buffer.from('020404b0ea01', 'hex'))],
  ['a list of ids that is not one', (ws: WebSocket) => ws.send(Buffer.from('0200100102', 'hex'))],
] as const) {
  test(`${what} ends that session and no other`, async () => {
    await using server = await startServer();
    using agent = await startAgent(server);
    using _other = await startAgent(server, 'c-two');
    speak(agent.websocket);
    await once(agent.websocket, 'close');
    await until('the session to be gone', () => !server.tunnel.has('c-one'));
    assert.equal(server.tunnel.has('c-two'), true);
  });
}

test('a stream whose agent ignores Pause fails at its cap, alone, while the socket is read on', async () => {
  await using server = await startServer({ streamBufferBytes: 2 * MiB });
  using agent = await startAgent(server);
  const dial = server.tunnel.dialer('c-one');
  const flooded = await dial(anywhere);
  const other = await dial(anywhere);
  await until('both Connects', () => agent.heard.length === 2);
  const [first, second] = agent.heard.map(message => message.connectionId);
  const failed = once(flooded, 'error', { signal: AbortSignal.timeout(5000) });
  for (let sent = 0; sent < 8; sent++) agent.say(messageType.data, first!, Buffer.alloc(MiB));
  assert.match(((await failed)[0] as Error).message, /buffered more than 2097152 bytes/);
  assert.equal((await agent.next(messageType.pause)).connectionId, first);
  agent.say(messageType.data, second!, 'alive');
  assert.equal(String((await once(other, 'data'))[0]), 'alive');
  other.destroy();
});

test('Pause on one direction neither holds nor frees the other', async () => {
  await using server = await startServer({ streamBufferBytes: 4 * MiB });
  using agent = await startAgent(server);
  const stream = await server.tunnel.dialer('c-one')(anywhere);
  const { connectionId: id } = await agent.next(messageType.connect);
  agent.say(messageType.pause, id);
  agent.say(messageType.data, id, Buffer.alloc(2 * MiB));
  await agent.next(messageType.pause);
  stream.write('held back');
  stream.resume();
  await agent.next(messageType.resume);
  assert.ok(!agent.heard.some(message => message.type === messageType.data), 'our Resume must not free our own writer');
  agent.say(messageType.resume, id);
  assert.equal(String((await agent.next(messageType.data)).payload), 'held back');
  stream.destroy();
});

test('an agent that provokes answers without reading them is cut off', async () => {
  await using server = await startServer();
  using agent = await startAgent(server);
  agent.websocket.pause();
  const provoke = () => {
    for (let count = 0; count < 2000 && agent.websocket.readyState === WebSocket.OPEN; count++)
      agent.say(messageType.data, 1_000_000 + count, 'x');
    return !server.tunnel.has('c-one');
  };
  await until('it to be cut off', provoke, { everyMs: 1 });
});

test('a list of live ids closes a stream only when it is old and missing twice running', async () => {
  let nowMs = 0;
  await using server = await startServer({ now: () => nowMs });
  using agent = await startAgent(server);
  const stream = await server.tunnel.dialer('c-one')(anywhere);
  const live = () => only(server.tunnel).streams;
  const { connectionId: id } = await agent.next(messageType.connect);
  const list = async (ids: number[]) => {
    const before = only(server.tunnel).bytesIn;
    agent.say(messageType.sync, 0, encodeSync(ids));
    await until('the list to arrive', () => only(server.tunnel).bytesIn > before);
  };
  await list([]);
  await list([]);
  assert.equal(live(), 1, 'young');
  nowMs = 4000;
  await until('a sign of life', () => only(server.tunnel).lastHeardMs < 4000);
  nowMs = 8000;
  agent.websocket.ping();
  nowMs = 12_000;
  agent.websocket.ping();
  await until('a sign of life', () => only(server.tunnel).lastHeardMs === 0);
  nowMs = 16_000;
  await list([]);
  await list([id]);
  await list([]);
  assert.equal(live(), 1, 'missing once, then listed, then missing once');
  const failed = once(stream, 'error', { signal: AbortSignal.timeout(5000) });
  await list([]);
  assert.match(((await failed)[0] as Error).message, /sync from client/);
});

test('a far end that goes silent without closing is dead after silentAfterMs', async () => {
  await using server = await startServer({ pingEveryMs: 40, silentAfterMs: 150 });
  using agent = await startAgent(server);
  const stream = await server.tunnel.dialer('c-one')(anywhere);
  const failed = once(stream, 'error', { signal: AbortSignal.timeout(5000) });
  agent.websocket.pause();
  assert.match(((await failed)[0] as Error).message, /nothing heard for/);
  assert.equal(server.tunnel.has('c-one'), false);
});
