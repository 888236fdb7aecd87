/** Paths and the routes they belong to: no spelling of a path reaches another route than the one it says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Route } from './exchange.ts';
import { RouteTable, requirePlainPath, splitTarget } from './routes.ts';

const route = (prefix: string): Route => ({ prefix, signIn: 'none', errors: 'norman', handle: async () => undefined });
const table = new RouteTable(['/', '/v3', '/v3/settings', '/v3-public', '/k8s/clusters'].map(route));
const prefixOf = (path: string) => table.find(path)?.prefix;

test('the longest prefix that ends with a segment takes the path', () => {
  assert.equal(prefixOf('/v3'), '/v3');
  assert.equal(prefixOf('/v3/settings/cacerts'), '/v3/settings');
  assert.equal(prefixOf('/v3/settingsx'), '/v3');
  assert.equal(prefixOf('/v3-public/x'), '/v3-public');
  assert.equal(prefixOf('/v3-publicx'), '/');
  assert.equal(new RouteTable([route('/v3')]).find('/v33'), undefined);
});

test('a path is not decoded to find its route: spelled otherwise, it belongs to none with sign-in left out', () => {
  for (const path of ['/v3%2Fsettings/cacerts', '/v3//settings/cacerts', '/V3/settings', '/v3%2e/settings'])
    assert.notEqual(prefixOf(path), '/v3/settings', path);
});

test('targets that are no path are refused: whole URLs, authorities, stars', () => {
  for (const target of ['http://h/v3', 'https://h/', 'h:443', '*', '', 'v3', '?x', `/${'a'.repeat(65_536)}`])
    assert.throws(() => splitTarget(target), { status: 400 }, target.slice(0, 20));
  assert.deepEqual(splitTarget('/v3?a=?b'), { path: '/v3', search: '?a=?b' });
});

test('what others would read as another path is refused', () => {
  const bad = [
    '/v3/../x',
    '/v3/..',
    '/./v3',
    '/v3/%2e%2E/x',
    '/v3/.%2e/x',
    '/v3/%2E',
    '/v3\\..\\x',
    '/v3/a\u0000',
    '/v3/%00',
  ];
  for (const path of [...bad, '/v3/a b', '/v3/a\tb', '/v3/#x', '/v3/%', '/v3/%2', '/v3/%zz'])
    assert.throws(() => requirePlainPath(path), { status: 400 }, JSON.stringify(path));
});

test('dots within names, escapes and empty segments are let through as they are', () => {
  for (const path of ['/v3/a..b', '/v3/...', '/v3/.well-known', '/v3//users', '/v3/local%3A%2F%2Fu-x', '/v3/%252e'])
    requirePlainPath(path);
});

test('whatever passes stays below its route when a proxy further on normalises it', () => {
  const pieces = fc.constantFrom(
    'v3',
    'settings',
    'k8s',
    'clusters',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    '',
    'a',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), segments => {
      const path = `/k8s/clusters/${segments.join('/')}`;
      try {
        requirePlainPath(path);
      } catch {
        return;
      }
      assert.ok(new URL(path, 'https://h').pathname.startsWith('/k8s/clusters/'), path);
    }),
    { numRuns: 2000 },
  );
});
