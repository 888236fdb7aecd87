/** List parameters: what a dashboard's page of pods asks for is read whole, and what can't be meant is refused by its name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListParams } from './list-params.ts';

const read = (query: string) => parseListParams(new URLSearchParams(query));

test('a page is read with its filters and order', () => {
  const asked = read(
    'page=2&pagesize=100&sort=metadata.namespace,-metadata.name&filter=a~x,b~x&filter=c!=d&exclude=metadata.managedFields',
  );
  assert.deepEqual(asked.page, { number: 2, size: 100 });
  assert.deepEqual(asked.sort, [
    { field: 'metadata.namespace', descending: false },
    { field: 'metadata.name', descending: true },
  ]);
  assert.deepEqual(
    asked.filters.map(any => any.map(one => one.key)),
    [['a', 'b'], ['c']],
  );
});

test('a page without a size, or with none, is everything', () => {
  for (const query of ['', 'page=3', 'page=3&pagesize=0', 'pagesize=-1', 'limit=5&continue=x'])
    assert.equal(read(query).page, undefined, query);
});

test('a summary may be asked for alone', () => {
  assert.deepEqual(read('summary=metadata.state.name&summaryonly=').summary, ['metadata.state.name']);
  assert.equal(read('summary=a&summaryonly=').summaryOnly, true);
  assert.equal(read('summary=a&summaryonly=false').summaryOnly, false);
});

test('what can not be meant is refused by its name', () => {
  const bad = {
    pagesize: 'pagesize=x',
    page: 'page=9007199254740991&pagesize=9',
    sort: 'sort=-',
    summary: 'summary=a&summary=b',
    summaryonly: 'summaryonly',
    filter: 'filter=a=b&'.repeat(51),
  };
  for (const [name, query] of Object.entries(bad))
    assert.throws(() => read(query), { status: 422, message: new RegExp(`^${name}: `) }, name);
});
