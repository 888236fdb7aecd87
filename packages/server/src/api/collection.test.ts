/** Filters, order and pages of collections, by the rules of v3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SchemaFields } from '@drover/api';
import fc from 'fast-check';
import { cutPage, describeQuery, type Page, parseFilters, parsePage, passes, sortData } from './collection.ts';

const field = (type: string, more: object = {}) => ({ type, create: true, update: true, ...more });
const fields: SchemaFields = {
  name: field('string'),
  user_id: field('string'),
  hidden: field('boolean', { default: false }),
  size: field('int'),
  tags: field('array[string]'),
  secret: field('password'),
};
const filters = (query: string) => parseFilters(new URLSearchParams(query), fields);
const filtered = (query: string, data: object[]) =>
  data.filter(one => passes(one as never, filters(query), fields)).map(one => (one as { id: string }).id);

test('a filter is a field, or a field with a modifier behind its last underscore', () => {
  assert.deepEqual(filters('name=a&name=b'), [{ field: 'name', modifier: 'eq', values: ['a'] }]);
  assert.deepEqual(filters('name_in=a&name_in=b'), [{ field: 'name', modifier: 'in', values: ['a', 'b'] }]);
  assert.deepEqual(filters('user_id_ne=x'), [{ field: 'user_id', modifier: 'ne', values: ['x'] }]);
});

test('fields that are unknown, not comparable, or of every object are ignored', () => {
  for (const query of ['other=1', 'tags=1', 'secret=x', 'hidden_in=true', 'name_like=a', 'ID=x'])
    assert.deepEqual(filters(query), [], query);
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.deepEqual(filters(`${name}=1&${name}_ne=2`), [], name);
    assert.equal(parsePage(new URLSearchParams(`sort=${name}`), fields).sort, undefined);
  }
});

test('values are compared as text, a missing one as its default', () => {
  const data = [
    { id: 'a', hidden: true, size: 10 },
    { id: 'b', size: 9 },
    { id: 'c', hidden: false, size: null },
  ];
  assert.deepEqual(filtered('hidden=false', data), ['b', 'c']);
  assert.deepEqual(filtered('hidden_ne=false', data), ['a']);
  assert.deepEqual(filtered('size_notin=10&size_notin=9', data), ['c']);
  assert.deepEqual(filtered('id_in=a&id_in=c', data), ['a', 'c']);
});

test('limits: a thousand by default, ten thousand at most, -1 for the most', () => {
  const limit = (query: string) => parsePage(new URLSearchParams(query), fields).limit;
  assert.equal(limit(''), 1000);
  assert.equal(limit('limit=5'), 5);
  assert.equal(limit('limit=-1'), 10_000);
  assert.equal(limit('limit=99999'), 10_000);
  for (const bad of ['0', '-2', '1.5', 'x', '']) assert.equal(limit(`limit=${bad}`), 1000, bad);
});

test('order is that of the text, then of the id, and turns round whole', () => {
  const data = [
    { id: 'b', size: 9 },
    { id: 'a', size: 9 },
    { id: 'c', size: 10 },
  ];
  const ids = (query: string) =>
    sortData([...data] as never, parsePage(new URLSearchParams(query), fields)).map(one => one['id']);
  assert.deepEqual(ids('sort=size'), ['c', 'a', 'b']);
  assert.deepEqual(ids('sort=size&order=desc'), ['b', 'a', 'c']);
  assert.deepEqual(ids('sort=tags'), ['a', 'b', 'c']);
});

test('following next from the first page shows everything once, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 17 }), (size, limit) => {
      const all = Array.from({ length: size }, (_, i) => ({ id: `x-${String(i).padStart(3, '0')}` }));
      const seen: unknown[] = [];
      let url: URL | undefined = new URL(`https://h/v3/xs?limit=${limit}`);
      while (url) {
        const page: Page = cutPage(all, parsePage(url.searchParams, fields), url);
        assert.equal(page.pagination['total'], size);
        seen.push(...page.data);
        url = page.pagination['next'] ? new URL(page.pagination['next'] as string) : undefined;
      }
      assert.deepEqual(seen, all);
    }),
  );
});

test('the links of a page are whole URLs that keep the query', () => {
  const all = Array.from({ length: 10 }, (_, i) => ({ id: `x${i}` }));
  const url = new URL('https://drover.test/v3/xs?limit=3&name_ne=q&marker=x3');
  const { pagination, data } = cutPage(all, parsePage(url.searchParams, fields), url);
  assert.deepEqual(
    data.map(one => one['id']),
    ['x3', 'x4', 'x5'],
  );
  assert.deepEqual(pagination, {
    limit: 3,
    total: 10,
    partial: true,
    marker: 'x3',
    first: 'https://drover.test/v3/xs?limit=3&name_ne=q&marker=x0',
    previous: 'https://drover.test/v3/xs?limit=3&name_ne=q&marker=x0',
    next: 'https://drover.test/v3/xs?limit=3&name_ne=q&marker=x6',
    last: 'https://drover.test/v3/xs?limit=3&name_ne=q&marker=x9',
  });
  assert.deepEqual(cutPage(all, { reverse: false, limit: 100 }, url).pagination, { limit: 100, total: 10 });
});

test('a marker that is gone begins anew', () => {
  const all = [{ id: 'a' }, { id: 'b' }];
  const page = cutPage(all, { reverse: false, limit: 1, marker: 'gone' }, new URL('https://h/v3/xs'));
  assert.deepEqual(page.data, [{ id: 'a' }]);
});

test('a collection names every field that it can be filtered by, with null where it is not', () => {
  const url = new URL('https://h/v3/xs?name=a');
  const page = { reverse: false, limit: 10 };
  const { filters: told, sort } = describeQuery(filters('name=a'), page, { fields, url });
  assert.deepEqual(told, { name: [{ modifier: 'eq', value: 'a' }], user_id: null, hidden: null, size: null });
  assert.deepEqual(sort, {
    order: 'asc',
    reverse: 'https://h/v3/xs?name=a&order=desc',
    links: { name: 'https://h/v3/xs?name=a&sort=name', user_id: 'https://h/v3/xs?name=a&sort=user_id' },
  });
});
