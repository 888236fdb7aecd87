/** Which heads are taken as plain, and what is kept of them. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePlainHead } from './request-head.ts';

const parse = (text: string) => parsePlainHead(Buffer.from(text, 'latin1'));

test('a plain head is taken apart without framing and credentials', () => {
  const text =
    'PATCH /api/v1/pods?a=%20 HTTP/1.1\r\nhost: a\r\nConnection: keep-alive\r\nX-A:  1 \r\nx-a:2\r\n' +
    'AUTHORIZATION: Bearer of-the-server\r\nCookie: R_SESS=a\r\nContent-Length: 3\r\nX-Utf: \xc3\xa9\r\n\r\n';
  assert.deepEqual(parse(`${text}abc`), {
    asks: 'PATCH /api/v1/pods?a=%20',
    isRead: false,
    headers: ['X-A', '1', 'x-a', '2', 'X-Utf', '\xc3\xa9'],
    bodyBytes: 3,
    size: text.length,
  });
  assert.equal(parse('GET / HTTP/1.1\r\n\r\n')?.isRead, true);
});

test('what somebody could read another way is not plain', () => {
  const line = 'GET / HTTP/1.1\r\n';
  for (const text of [
    `${line}X-A: 1\r\n`,
    `${line}X-A: 1\n\r\n\r\n`,
    `${line}X-A: 1\rImpersonate-User: a\r\n\r\n`,
    `${line}X-A: 1\nImpersonate-User: a\r\n\r\n`,
    `${line}X-A: 1\r\n folded\r\n\r\n`,
    `${line}X-A : 1\r\n\r\n`,
    `${line} X-A: 1\r\n\r\n`,
    `${line}: 1\r\n\r\n`,
    `${line}X-A\r\n\r\n`,
    `${line}X-A: \0\r\n\r\n`,
    `${line}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    `${line}Content-Length: 1, 1\r\n\r\n`,
    `${line}Content-Length: +1\r\n\r\n`,
    `${line}Content-Length: \r\n\r\n`,
    `${line}Content-Length: 1e3\r\n\r\n`,
    `${line}Transfer-Encoding: chunked\r\n\r\n`,
    `${line}TE: trailers\r\n\r\n`,
    `${line}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    `${line}Expect: 100-continue\r\n\r\n`,
    `${line}Connection: X-A\r\nX-A: 1\r\n\r\n`,
    `${line}Connection: close\r\n\r\n`,
    `\r\n${line}\r\n`,
    'GET / HTTP/1.0\r\n\r\n',
    'GET  / HTTP/1.1\r\n\r\n',
    'GET http://a/ HTTP/1.1\r\n\r\n',
    'GET /\xe9 HTTP/1.1\r\n\r\n',
    'get / HTTP/1.1\r\n\r\n',
    'CONNECT /a HTTP/1.1\r\n\r\n',
    `${line}X-A: ${'a'.repeat(70_000)}\r\n\r\n`,
  ])
    assert.equal(parse(text), undefined, JSON.stringify(text.slice(0, 80)));
});

/** What Node's server reads of the bytes; undefined where it takes them for no request. */
function asNodeReads(text: string): Promise<IncomingMessage | undefined> {
  const server = createServer({ requireHostHeader: false });
  const [near, far] = duplexPair();
  return new Promise(resolve => {
    server.on('request', request => resolve(request));
    server.on('clientError', () => resolve(undefined));
    near.on('error', () => undefined);
    far.on('error', () => undefined).end(Buffer.from(text, 'latin1'));
    server.emit('connection', near);
  });
}

test('whatever is taken as plain, Node’s parser reads the same way', async () => {
  const piece = fc.constantFrom(
    ...['a', 'X-A', 'Impersonate-User', 'content-length', 'Connection', 'keep-alive', '1', '0', ',', ';', '"', '\\'],
    ...[' ', '\t', ':', '\r', '\n', '\r\n', '\0', '\x7f', '\x80', '\xa0', '\xff', '/', '%', '?', '#'],
  );
  const text = (maxLength: number) => fc.array(piece, { maxLength }).map(pieces => pieces.join(''));
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('X-A', 'impersonate-user', 'a', 'Content-Length') },
    text(3),
  );
  const value = fc.oneof(fc.constantFrom('', '1', ' b c ', '\tx\t', '\xa0d\xa0'), text(4));
  const line = fc.tuple(name, fc.constantFrom(':', ': ', ' :', ''), value).map(parts => parts.join(''));
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'PUT', 'get'),
      text(3),
      fc.array(line, { maxLength: 3 }),
      async (...parts) => {
        const [method, target, lines] = parts;
        const whole = `${method} /${target} HTTP/1.1\r\n${lines.map(one => `${one}\r\n`).join('')}\r\n`;
        const head = parse(whole);
        if (!head) return;
        taken++;
        const read = await asNodeReads(whole);
        // Stricter than we are is no harm: what it refuses is then refused by the kube-apiserver, or is one request there too.
        if (!read) return;
        assert.equal(`${read.method} ${read.url}`, head.asks);
        const others = read.rawHeaders.flatMap((one, i, all) =>
          i % 2 === 0 && !/^(?:content-length|connection)$/i.test(one) ? [one, all[i + 1]!] : [],
        );
        assert.deepEqual(head.headers, others);
        assert.equal(head.bodyBytes, read.headers['content-length'] && Number(read.headers['content-length']));
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(taken > 300, `only ${taken} were plain`);
});
