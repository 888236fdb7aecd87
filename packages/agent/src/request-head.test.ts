/** Which heads are taken as plain, and what is kept of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
