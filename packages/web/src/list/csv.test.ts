/** What is exported opens as it was, and runs nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsv } from './csv.ts';

test('commas, quotes and lines stay within their cell', () => {
  assert.equal(toCsv([['a,b', 'say "x"', '一\n二']]), '\ufeff"a,b","say ""x""","一\n二"\r\n');
});

test('what a spreadsheet would compute is text, and numbers are numbers', () => {
  assert.equal(toCsv([['=1+1', '@x', '-5', '+a', '3']]), "\ufeff'=1+1,'@x,-5,'+a,3\r\n");
});
