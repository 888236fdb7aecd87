/** What is asked of browsers: the CSRF value on changes, and an origin of our own on upgrades (no hijack from another site). */
import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { guardCsrf } from './csrf.ts';
import { requireSameOrigin } from './origin.ts';

const browser = 'Mozilla/5.0 (X11; Linux x86_64)';
const value = 'a'.repeat(32);

function exchangeOf(headers: Record<string, string>) {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return { request, response: new ServerResponse(request) };
}

const csrf: [string, headers: Record<string, string>, method: string, query: string, RegExp | undefined][] = [
  ['a program is not asked', { 'user-agent': 'curl/8' }, 'DELETE', '', undefined],
  ['a browser may read', { 'user-agent': browser }, 'GET', '', undefined],
  ['a browser without a value may not change', { 'user-agent': browser }, 'POST', '', /X-API-CSRF/],
  ['the cookie alone is not enough', { 'user-agent': browser, cookie: `CSRF=${value}` }, 'POST', '', /X-API-CSRF/],
  [
    'the header must be the same',
    { 'user-agent': browser, cookie: `CSRF=${value}`, 'x-api-csrf': 'b' },
    'PUT',
    '',
    /X-API-CSRF/,
  ],
  [
    'the same in header and cookie is good',
    { 'user-agent': browser, cookie: `CSRF=${value}`, 'x-api-csrf': value },
    'PUT',
    '',
    undefined,
  ],
  [
    'the same in query and cookie is good',
    { 'user-agent': browser, cookie: `CSRF=${value}` },
    'DELETE',
    `CSRF=${value}`,
    undefined,
  ],
  [
    'an empty value is none',
    { 'user-agent': browser, cookie: 'CSRF=', 'x-api-csrf': '' },
    'POST',
    'CSRF=',
    /X-API-CSRF/,
  ],
  [
    'a page of another site may not, even with the value',
    { 'user-agent': browser, cookie: `CSRF=${value}`, 'x-api-csrf': value, 'sec-fetch-site': 'cross-site' },
    'POST',
    '',
    /another site/,
  ],
];
for (const [name, headers, method, query, refusal] of csrf) {
  test(`CSRF: ${name}`, () => {
    const { request, response } = exchangeOf(headers);
    const guard = () => guardCsrf(request, response, { method, query: new URLSearchParams(query) });
    if (refusal) assert.throws(guard, refusal);
    else guard();
  });
}

test('CSRF: a browser gets a value of its own, readable by scripts, once', () => {
  const { request, response } = exchangeOf({ 'user-agent': browser });
  guardCsrf(request, response, { method: 'GET', query: new URLSearchParams() });
  assert.match(String(response.getHeader('set-cookie')), /^CSRF=[0-9a-f]{32}; Path=\/; Secure; SameSite=Lax$/);
  const again = exchangeOf({ 'user-agent': browser, cookie: `CSRF=${value}` });
  guardCsrf(again.request, again.response, { method: 'GET', query: new URLSearchParams() });
  assert.equal(again.response.getHeader('set-cookie'), undefined);
});

const host = 'drover.test:8443';
const origins: [
  string,
  via: 'cookie' | 'basic' | 'bearer' | undefined,
  headers: Record<string, string>,
  allowed: boolean,
][] = [
  ['a page of our own', 'cookie', { host, origin: `https://${host}`, 'user-agent': browser }, true],
  ['a page of another site', 'cookie', { host, origin: 'https://evil.test', 'user-agent': browser }, false],
  ['a page of another port', 'cookie', { host, origin: 'https://drover.test', 'user-agent': browser }, false],
  ['a page of another site with remembered Basic credentials', 'basic', { host, origin: 'https://evil.test' }, false],
  ['a page of another site that sends no User-Agent we know', 'cookie', { host, origin: 'https://evil.test' }, false],
  ['a sandboxed page', 'cookie', { host, origin: 'null', 'user-agent': browser }, false],
  ['a browser that hides where it comes from', 'cookie', { host, 'user-agent': browser }, false],
  ['a host that only begins like ours', 'cookie', { host, origin: 'https://drover.test:8443.evil.test' }, false],
  ['a program with a bearer', 'bearer', { host }, true],
  ['a program with a bearer and an Origin of its own', 'bearer', { host, origin: 'http://localhost' }, true],
  [
    'a browser with a bearer from another site',
    'bearer',
    { host, origin: 'https://evil.test', 'user-agent': browser },
    false,
  ],
  ['a page of the public name behind a proxy', 'cookie', { host: '10.0.0.1', origin: 'https://public.test' }, true],
];
for (const [name, via, headers, allowed] of origins) {
  test(`upgrade: ${name} is ${allowed ? 'let in' : 'refused'}`, () => {
    const { request } = exchangeOf(headers);
    const guard = () => requireSameOrigin(request, via && { via }, 'https://public.test');
    if (allowed) guard();
    else assert.throws(guard, /origin not allowed/);
  });
}
