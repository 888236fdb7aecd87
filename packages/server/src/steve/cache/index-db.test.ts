/** Lists of the size that steps and indexes are for: whatever was made ready and when, what is answered is the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { IndexDb } from './index-db.ts';
import { makeRow, type RowType } from './row.ts';
import { slotCount } from './slots.ts';
import { fixedColumns, orderOf, type Query, whereOf } from './sql.ts';

const type: RowType = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  withoutBodies: false,
  columns: [
    { name: 'Name', type: 'string' },
    { name: 'Data', type: 'string' },
  ],
};
const count = 2500;
const nameOf = (index: number) => `settings-${String(index).padStart(4, '0')}`;
const rowOf = (index: number, entries = index % 5, version = index + 1) => {
  const labels = { app: `a${index % 7}` };
  const metadata = { name: nameOf(index), namespace: 'shop', resourceVersion: String(version), labels };
  return makeRow({ object: { metadata }, cells: [nameOf(index), entries] }, type, 0);
};

function filled(path = ':memory:'): IndexDb {
  const db = new IndexDb(path);
  db.open('maps', type);
  db.put(
    'maps',
    Array.from({ length: count }, (_, index) => rowOf(index)),
    1,
  );
  db.removeOthers('maps', 1);
  return db;
}

const asking = (sort: string, more: Partial<Query> = {}): Query => ({
  reach: 'all',
  filters: [],
  sort: [{ field: sort.replace(/^-/, ''), descending: sort.startsWith('-') }],
  page: { number: 1, size: 3 },
  summary: [],
  summaryOnly: false,
  summaryNamespaced: false,
  ...more,
});
const options = { managed: false, now: 0 };
const namesOf = (db: IndexDb, query: Query) => db.query('maps', query, options)?.rows.map(({ name }) => name);

test('the first order by a column that is shown to everybody waits for nothing', () => {
  const db = filled();
  assert.deepEqual(
    namesOf(db, asking('metadata.fields[1]')),
    ['0000', '0005', '0010'].map(end => `settings-${end}`),
  );
  assert.deepEqual(
    namesOf(db, asking('-metadata.fields[1]')),
    ['2499', '2494', '2489'].map(end => `settings-${end}`),
  );
});

test('an order is the same with its index', () => {
  const db = filled();
  const orders = ['metadata.fields[1]', '-metadata.fields[1]'].map(sort =>
    asking(sort, { page: { number: 7, size: 40 } }),
  );
  const before = orders.map(query => namesOf(db, query));
  let made = 0;
  while (db.indexOne()) made++;
  assert.equal(made, 1);
  assert.deepEqual(
    orders.map(query => namesOf(db, query)),
    before,
  );
});

test('another field is filled in steps, and what changes between them is right', () => {
  const db = filled();
  const query = asking('metadata.labels[app]', { filters: [[{ key: 'metadata.fields[1]', op: '=', values: ['9'] }]] });
  assert.equal(db.query('maps', query, options), undefined);
  db.fillSome('maps');
  assert.equal(db.query('maps', query, options), undefined);
  db.put('maps', [rowOf(3, 9, 9001), rowOf(2400, 9, 9002), rowOf(count, 9, 9003)], 1);
  let steps = 1;
  for (; !db.query('maps', query, options); steps++) db.fillSome('maps');
  assert.equal(steps, 3);
  // Their labels are a3, a6 and a1.
  assert.deepEqual(namesOf(db, query), [nameOf(count), nameOf(3), nameOf(2400)]);
});

test('numbers are compared as they are written', () => {
  const db = filled();
  const filters = [[{ key: 'metadata.fields[1]', op: '=' as const, values: ['4'] }]];
  const found = db.query('maps', asking('metadata.name', { filters, summary: ['metadata.fields[1]'] }), options);
  assert.equal(found?.count, count / 5);
  assert.deepEqual(found?.summary, [{ property: 'metadata.fields[1]', counts: { 4: { total: count / 5 } } }]);
});

test('the field used least lately gives way, and comes back', () => {
  const db = filled();
  const orders = Array.from({ length: slotCount }, (_, index) => asking(`metadata.annotations[k${index}]`));
  for (const query of [...orders, asking('-metadata.fields[1]')])
    while (!db.query('maps', query, options)) db.fillSome('maps');
  assert.equal(namesOf(db, asking('-metadata.fields[1]'))?.[0], nameOf(2499));
});

test('a question with more fields than there are columns is refused', () => {
  const db = filled();
  const filters = Array.from({ length: slotCount + 1 }, (_, index) => [
    { key: `metadata.annotations[k${index}]`, op: '=' as const, values: ['x'] },
  ]);
  assert.throws(() => db.query('maps', asking('metadata.name', { filters }), options), { reason: 'Invalid' });
});

test('a page by name, by namespace and name or by age is read from an index, and not sorted', t => {
  const dir = mkdtempSync(join(tmpdir(), 'drover-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'lists.db');
  filled(path).close();
  using db = new DatabaseSync(path, { readOnly: true });
  const place = ['metadata.namespace', 'metadata.name'];
  const reach = { namespaces: ['shop'], names: ['a'], ids: ['b/c'] };
  for (const fields of [[], ['id'], ['metadata.name'], ['metadata.creationTimestamp'], ['metadata.namespace'], place])
    for (const descending of [false, true])
      for (const more of [{}, { reach }, { reach, namespace: 'shop' }] satisfies Partial<Query>[]) {
        const query: Query = { ...asking('id', more), sort: fields.map(field => ({ field, descending })) };
        const order = orderOf(query, field => fixedColumns.get(field)!);
        const { inOrder, values } = whereOf(query, () => 'id');
        const sql = `SELECT key, id, ns, name FROM t1 WHERE ${inOrder} ORDER BY ${order} LIMIT 3`;
        const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
        const steps = plan.map(({ detail }) => String(detail));
        assert.equal(steps.includes('USE TEMP B-TREE FOR ORDER BY'), false, `${sql}: ${steps.join(', ')}`);
      }
});

test('whoever sees a part of a list gets its pages in order, whether that part is large or small', () => {
  const db = new IndexDb(':memory:');
  db.open('maps', type);
  const rows = Array.from({ length: count }, (_, index) => {
    const metadata = { name: nameOf((index * 7) % count), namespace: `n-${index % 10}`, resourceVersion: '1' };
    return makeRow({ object: { metadata } }, type, 0);
  });
  db.put('maps', rows, 1);
  for (const namespaces of [[], ['n-3'], ['n-1', 'n-4', 'n-7'], rows.map(({ namespace }) => namespace)])
    for (const descending of [false, true])
      for (const number of [1, 2, 40]) {
        const page = { number, size: 20 };
        const reach = { namespaces, names: [nameOf(9)], ids: [`n-2/${nameOf(14)}`] };
        const sort = ['metadata.namespace', 'metadata.name'].map(field => ({ field, descending }));
        const ids = rows
          .filter(
            ({ id, name, namespace }) => namespaces.includes(namespace) || name === nameOf(9) || id === reach.ids[0],
          )
          .map(({ id }) => id)
          .sort();
        if (descending) ids.reverse();
        const found = db.query('maps', asking('id', { reach, sort, page }), options)!;
        const shown = found.rows.map(({ id }) => id);
        assert.deepEqual([found.count, shown], [ids.length, ids.slice((number - 1) * 20, number * 20)]);
      }
});

test('a field that every object inherits is a field like any other', () => {
  const db = filled();
  const query = asking('constructor');
  while (!db.query('maps', query, options)) db.fillSome('maps');
  assert.equal(db.query('maps', query, options)?.count, count);
});
