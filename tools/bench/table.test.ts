/** The bench table says plainly which way a ratio is good. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRows } from './table.ts';

test('rows are set in columns, with a ratio and a verdict where there is a peer', () => {
  const rows = [
    { name: 'proxied GET', ours: 12345, peer: 10000, unit: 'req/s', higherIsBetter: true },
    { name: 'p50', ours: 1.5, peer: 1, unit: 'ms', higherIsBetter: false },
    { name: 'start', ours: 42.25, unit: 'ms', higherIsBetter: false },
  ];
  assert.deepEqual(formatRows(rows), [
    '               ours    peer  unit   ratio',
    'proxied GET  12 345  10 000  req/s  1.23×  better',
    'p50            1.50    1.00  ms     1.50×  worse',
    'start          42.3          ms',
  ]);
});
