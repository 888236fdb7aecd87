/** What is typed into a filter means what people expect of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filtersOf } from './filter-words.ts';

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['web shop', ['n~"web",s~"web"', 'n~"shop",s~"shop"']],
  ['!old', ['n!~"old"', 's!~"old"']],
  ['-l app=web,tier!=db', ['metadata.labels[app]="web"', 'metadata.labels[tier]!="db"']],
  ['-l app', ['metadata.labels[app]']],
  ['-l', []],
  ['say"x"', ['n~"say\\"x\\"",s~"say\\"x\\""']],
];

for (const [text, filters] of cases)
  test(`filter: ${text || 'nothing'}`, () => assert.deepEqual(filtersOf(text, ['n', 's']), filters));
