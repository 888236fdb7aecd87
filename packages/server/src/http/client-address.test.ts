/** Whose address counts, behind proxies that are trusted and behind ones that are not. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { behindProxies } from './client-address.ts';

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

const trusted = ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'];

for (const [what, from, forwarded, expected] of [
  ['a client that connects itself is itself', '203.0.113.9', undefined, '203.0.113.9'],
  ['what it claims counts for nothing', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['the client that a trusted proxy names', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  [
    'the last that is not trusted, whatever stands before it',
    '10.1.2.3',
    '1.1.1.1, 198.51.100.1, 10.9.9.9',
    '198.51.100.1',
  ],
  ['a proxy that says nothing is the client', '127.0.0.1', undefined, '127.0.0.1'],
  ['all trusted: the first of them', '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ['what is no address ends the search', '127.0.0.1', '198.51.100.1, unknown', '127.0.0.1'],
  ['IPv6 proxies and clients', 'fd00::1', '[2001:db8::7]:4711', '2001:db8::7'],
  ['IPv4 in IPv6 is IPv4', '::ffff:10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
  ['ports are no part of it', '10.0.0.1', '198.51.100.1:5555', '198.51.100.1'],
] as const) {
  test(`client address: ${what}`, () => {
    assert.equal(behindProxies(trusted)(request(from, forwarded)), expected);
  });
}

test('without trusted proxies nobody is believed', () => {
  assert.equal(behindProxies([])(request('127.0.0.1', '198.51.100.1')), '127.0.0.1');
});

test('what is no network is refused by name', () => {
  for (const text of ['10.0.0.0/33', 'proxy.example.com', '10.0.0.0/8/8', '::1/129', '10.0.0.0/', ''])
    assert.throws(() => behindProxies([text]), /--trusted-proxies: .*must be an address or a CIDR/, text);
});
