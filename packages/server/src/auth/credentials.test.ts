/** What requests show, and on which paths a scoped token may be shown. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInScope } from './authenticate.ts';
import { parseBearer, readCookie, readCredential } from './credentials.ts';

const key = 'bcdfghjklmnpqrstvwxz2456789bcdfghjklmnpqrstvwxz2456789';
const bearer = `token-abcde:${key}`;
const requestOf = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
const standard = Buffer.from(bearer).toString('base64');

const shown: [string, Record<string, string>, ReturnType<typeof readCredential>][] = [
  ['a bearer', { authorization: `Bearer ${bearer}` }, { via: 'bearer', text: bearer }],
  ['a bearer with another case and spaces', { authorization: `bEARER   ${bearer} ` }, { via: 'bearer', text: bearer }],
  ['basic in the standard alphabet', { authorization: `Basic ${standard}` }, { via: 'basic', text: bearer }],
  [
    'basic in the URL-safe alphabet',
    { authorization: `Basic ${Buffer.from(bearer).toString('base64url')}` },
    { via: 'basic', text: bearer },
  ],
  ['a cookie', { cookie: `x=1; R_SESS=${bearer}; CSRF=2` }, { via: 'cookie', text: bearer }],
  ['a cookie beside a bad header', { authorization: 'Digest x', cookie: `R_SESS=${bearer}` }, 'bad'],
  ['an empty header', { authorization: '' }, 'bad'],
  ['an endless header', { authorization: `Bearer ${'a'.repeat(5000)}` }, 'bad'],
  ['nothing', {}, undefined],
];
for (const [name, headers, expected] of shown)
  test(`${name} is read as it is`, () => assert.deepEqual(readCredential(requestOf(headers), true), expected));

test('a cookie is not looked at where cookies are not asked for', () => {
  assert.equal(readCredential(requestOf({ cookie: `R_SESS=${bearer}` }), false), undefined);
});

test('a bearer has exactly one colon and nothing strange in it', () => {
  assert.deepEqual(parseBearer(bearer), { name: 'token-abcde', key });
  for (const bad of [
    '',
    ':',
    'token-a',
    `token-a:${key}:x`,
    `:${key}`,
    'token-a:',
    `../a:${key}`,
    `a/b:${key}`,
    `A:${key}`,
  ])
    assert.equal(parseBearer(bad), undefined, bad);
});

test('a cookie is found by its whole name', () => {
  assert.equal(readCookie('XR_SESS=a; R_SESS="b"', 'R_SESS'), 'b');
  assert.equal(readCookie('R_SESSX=a', 'R_SESS'), undefined);
});

const inside = [
  '/k8s/clusters/c-a',
  '/k8s/clusters/c-a/',
  '/k8s/proxy/c-a/api',
  '/v3/clusters/c-a',
  '/v3/cluster/c-a/namespaces',
  '/v3/projects/c-a:p-b',
  '/v3/project/c-a:p-b/workloads',
];
const outside = [
  '/',
  '/v3',
  '/v3/users',
  '/v3/clusters',
  '/v3/projects',
  '/v3/projects/c-b:p-b',
  '/v3/projects/c-ab:p-b',
  '/v3/projects/c-a:p-b/../../users',
  '/v3/projects/c-a:/../c-b:p',
  '/k8s/clusters/c-ab',
  '/k8s/clusters/c-a%2f..%2fc-b',
  '/k8s/clusters//c-a',
  '//k8s/clusters/c-a',
  '/k8s/clusters/c-b/../c-a',
  '/k8s/clusters/c-a/../c-b',
  '/k8s/clusters/c-a/%2E%2e/c-b',
  '/k8s/clusters/c-a/.%2e/c-b',
  '/v3/clusters/c-a/../../users',
  '/v3/clusters/c-a/%2e%2e/users',
  '/v3/clusters/c-a/..%2fusers',
  '/v3/clusters/c-a//nodes',
  '/v3/clusters/c-a\\..\\users',
  '/V3/clusters/c-a',
  '/x/v3/clusters/c-a',
];
test('a token for one cluster is good on that cluster and nowhere else', () => {
  for (const path of inside) assert.equal(isInScope('c-a', path), true, path);
  for (const path of outside) assert.equal(isInScope('c-a', path), false, path);
  for (const path of [...inside, ...outside]) assert.equal(isInScope(undefined, path), true, path);
});

test('whatever the path, what a URL parser makes of one in scope is still below the cluster', () => {
  const piece = fc.constantFrom(
    'v3',
    'k8s',
    'clusters',
    'cluster',
    'proxy',
    'c-a',
    'c-b',
    'projects',
    'c-a:p-x',
    'c-b:p-x',
    'users',
    '..',
    '.',
    '%2e%2e',
    '.%2E',
    '',
    'x',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
      const path = `/${pieces.join('/')}`;
      if (!isInScope('c-a', path) || path.startsWith('//')) return;
      assert.match(
        new URL(`http://host${path}`).pathname,
        /^\/((k8s\/(clusters|proxy)|v3\/clusters?)\/c-a(\/|$)|v3\/projects?\/c-a:)/,
      );
    }),
    { numRuns: 5000 },
  );
});
