/** What benches ask with reads answers as they come: with a length, in chunks, in pieces that end anywhere. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { issueCert, makeCa } from '@drover/engine';
import { openLine } from './line.ts';

const answers: Readonly<Record<string, string>> = {
  '/length': 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nxx',
  '/empty': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
  '/chunks':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nC;x=y\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n',
  '/none': 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
  '/endless': 'HTTP/1.1 200 OK\r\n\r\nhello',
};

let server: Server;
let ca: string;
/** Bytes that are written at once. */
let piece = 1;

before(async () => {
  const made = await makeCa('bench');
  ca = made.cert;
  const { cert, key } = await issueCert(made, { commonName: 'line', ips: ['127.0.0.1'], usages: ['server'] });
  server = createServer({ cert, key: key.reveal() }, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => void server.close());

function serve(socket: TLSSocket): void {
  socket.on('error', () => undefined);
  socket.on('data', async (request: Buffer) => {
    const answer = answers[/^GET (\S+) /.exec(request.toString('latin1'))![1]!]!;
    for (let at = 0; at < answer.length; at += piece) {
      socket.write(answer.slice(at, at + piece));
      await new Promise(setImmediate);
    }
  });
}

const open = () =>
  openLine({
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    path: '',
    headers: {},
    tls: { ca },
    pids: [],
  });

for (const size of [1, 2, 7, 1000])
  test(`bodies are counted in pieces of ${size}`, async () => {
    piece = size;
    await using line = await open();
    assert.equal(await line.ask('/length'), 11);
    assert.equal(await line.ask('/chunks'), 17);
    assert.equal(await line.ask('/empty'), 0);
    assert.equal(await line.ask('/chunks'), 17);
  });

test('another status, an answer without an end and a connection that ends are errors', async () => {
  piece = 1000;
  for (const [path, why] of [
    ['/none', /answered HTTP\/1.1 404/],
    ['/endless', /no length/],
  ] as const) {
    await using line = await open();
    await assert.rejects(line.ask(path), why);
    await assert.rejects(line.ask('/length'), /ended/);
  }
});
