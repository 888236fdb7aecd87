/** The house stands as it was drawn: every source keeps to the arrows, names and sizes of test/layers/. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultsOf } from './layers/rules.ts';
import { readSources } from './layers/sources.ts';

const sources = readSources(join(import.meta.dirname, '..'));

test('the sources of every package are looked at', () => {
  for (const name of ['base', 'api', 'store', 'kube', 'tunnel', 'engine', 'server']) {
    assert.ok(
      sources.some(source => source.path.startsWith(`packages/${name}/src/`)),
      name,
    );
  }
});

test('every source keeps the rules of the house', () => {
  const faults = sources.flatMap(faultsOf);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}`);
});

test('files stay small: the median is at most 120 lines, nine in ten have at most 300', () => {
  const lines = sources.map(source => source.text.split('\n').length - 1).sort((a, b) => a - b);
  assert.ok(lines[Math.floor(lines.length / 2)]! <= 120);
  assert.ok(lines[Math.floor(lines.length * 0.9)]! <= 300);
});
