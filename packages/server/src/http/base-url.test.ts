/** How the client came, from the headers of the request; a host that is none is never repeated. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { baseUrl } from './base-url.ts';

const socket = { localFamily: 'IPv4', localAddress: '127.0.0.1', localPort: 8443 };
const of = (headers: Record<string, string>, at: object = socket) =>
  baseUrl({ headers, socket: at } as unknown as IncomingMessage);

test('the host is the client’s own, or what proxies say, the nearest to it first', () => {
  assert.equal(of({ host: 'drover.test:8443' }), 'https://drover.test:8443');
  assert.equal(of({ host: 'a', 'x-forwarded-host': 'b, c' }), 'https://b');
  assert.equal(of({ host: 'a', 'x-forwarded-host': 'b', 'x-api-host': 'd' }), 'https://d');
  assert.equal(of({ host: '[::1]:8443' }), 'https://[::1]:8443');
});

test('the scheme is https unless a proxy took it off', () => {
  assert.equal(of({ host: 'a', 'x-forwarded-proto': 'http' }), 'http://a');
  assert.equal(of({ host: 'a', 'x-forwarded-proto': 'wss, http' }), 'https://a');
  assert.equal(of({ host: 'a', 'x-forwarded-proto': 'javascript' }), 'https://a');
});

test('a host that is none falls back to the address that was connected to', () => {
  assert.equal(of({}), 'https://127.0.0.1:8443');
  assert.equal(of({}, { ...socket, localFamily: 'IPv6', localAddress: '::1' }), 'https://[::1]:8443');
  for (const host of ['a/b', 'a@b', 'a"b', 'a b', '<x>', 'a?b', 'a:b:c', 'a:999999'])
    assert.equal(of({ host }), 'https://127.0.0.1:8443', host);
});

test('no header makes anything but a scheme, a host and a port', () => {
  const text = fc.string({ unit: 'binary-ascii' });
  fc.assert(
    fc.property(text, text, text, (host, forwarded, proto) => {
      const url = of({ host, 'x-forwarded-host': forwarded, 'x-forwarded-proto': proto });
      assert.match(url, /^https?:\/\/[A-Za-z0-9.:[\]-]+$/);
    }),
  );
});
