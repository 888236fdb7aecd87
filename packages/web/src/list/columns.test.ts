/** Columns of lists: the cluster's own without doubles, ages last, room for what stands in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind } from '../net/kinds.ts';
import { cellText } from './cell-text.ts';
import { columnsOf, defaultSort, widthsOf } from './columns.ts';
import { quote } from './filter-words.ts';
import { queryOf } from './rows.ts';

const kind = (plural: string, names: readonly string[]): Kind => ({
  id: plural.slice(0, -1),
  plural,
  kind: 'X',
  group: '',
  version: 'v1',
  resource: plural,
  namespaced: true,
  canCreate: true,
  columns: names.map((name, index) => ({ name, type: 'string', priority: name.startsWith('Wide') ? 1 : 0, index })),
});
const pods = kind('pods', ['Name', 'Ready', 'Status', 'Age', 'Wide']);

test('what the state says is not said twice, ages come last, wide columns wait to be asked for', () => {
  assert.deepEqual(
    columnsOf(pods).map(({ id, sort, shown }) => [id, sort, shown]),
    [
      ['name', 'metadata.name', true],
      ['state', 'metadata.state.name', true],
      ['namespace', 'metadata.namespace', true],
      ['Ready', 'metadata.fields[1]', true],
      ['Wide', 'metadata.fields[4]', false],
      ['Age', 'metadata.fields[3]', true],
    ],
  );
});

test('kinds that are always just there have no state, and events are newest first', () => {
  assert.ok(!columnsOf(kind('configmaps', ['Name'])).some(({ id }) => id === 'state'));
  assert.equal(defaultSort(kind('events', [])), '-metadata.fields[0]');
});

test('what the cluster writes for nothing is nothing', () => {
  const [, , , ready] = columnsOf(pods);
  const metadata = { name: 'a', fields: ['a', '<none>'] };
  assert.equal(cellText({ id: 'a', type: 'pod', links: {}, apiVersion: 'v1', kind: 'Pod', metadata }, ready!), '');
});

test('Chinese takes the room that it needs', () => {
  assert.equal(widthsOf([['状态状态状态']]), 'minmax(15ch, 15fr)');
  // Where there is little room, what stands under a heading may be cut, the heading not.
  assert.equal(widthsOf([['Name'], ['Container-Runtime', '1']]).split(', ')[1], '9fr) minmax(20ch');
});

test('every word of a filter must be found, whatever it holds', () => {
  const query = new URLSearchParams(
    queryOf({ clusterId: 'c', kind: pods, sort: 'metadata.name', text: 'a "b\\', state: 'running' }, 0),
  );
  assert.deepEqual(query.getAll('filter'), [
    'metadata.name~"a",metadata.namespace~"a"',
    'metadata.name~"\\"b\\\\",metadata.namespace~"\\"b\\\\"',
    'metadata.state.name="running"',
  ]);
  assert.equal(quote('a"b'), '"a\\"b"');
  assert.deepEqual([query.get('page'), query.get('pagesize')], ['1', '100']);
});
