/** Logs: merged by time, bounded, split where lines end and nowhere else, filtered as asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogBuffer, levelOf, lineAt, lineFilter, lineSplitter, pointTo } from './log-buffer.ts';

const at = (seconds: number, text: string) => `2026-01-01T00:00:0${seconds}.000000000Z ${text}`;

test('streams are merged by time, and each keeps its order', () => {
  const buffer = new LogBuffer();
  buffer.add(0, [at(1, 'a1'), at(3, 'a2')]);
  buffer.add(1, [at(2, 'b1'), at(3, 'b2')]);
  assert.deepEqual(
    buffer.lines.map(({ text }) => text),
    ['a1', 'b1', 'a2', 'b2'],
  );
});

test('no more is kept than there is room for, and how much went is known', () => {
  const buffer = new LogBuffer();
  for (let i = 0; i < 3; i++)
    buffer.add(
      0,
      Array.from({ length: 10_000 }, () => at(1, 'x')),
    );
  assert.deepEqual([buffer.lines.length, buffer.dropped], [20_000, 10_000]);
});

test('a character that is cut in two is one again', () => {
  const split = lineSplitter();
  const bytes = new TextEncoder().encode('你好\nrest');
  assert.deepEqual(split(bytes.subarray(0, 4)), []);
  assert.deepEqual(split(bytes.subarray(4)), ['你好']);
  assert.deepEqual(split(new TextEncoder().encode('\n')), ['rest']);
});

test('levels are found in what programs write', () => {
  const cases = {
    'level=error msg=x': 'error',
    '{"level":"warn"}': 'warn',
    'E1123 12:00 x': 'error',
    '2026-01-01 INFO started': 'info',
    'an error-free line': '',
    '[DEBUG] x': 'debug',
  };
  for (const [text, level] of Object.entries(cases)) assert.equal(levelOf(text), level, text);
});

test('lines are filtered by text and expression, and the other way round', () => {
  const lines = ['GET /a 200', 'GET /b 500'];
  for (const [wanted, found] of [
    ['500', 1],
    ['!500', 1],
    ['/ [25]00$/', 2],
    ['get', 2],
    ['/[/', 0],
    ['', 2],
  ] as const)
    assert.equal(lines.filter(lineFilter(wanted)).length, found, wanted);
});

test('an address leads to one line, also of those that came in the same moment', () => {
  const buffer = new LogBuffer();
  buffer.add(0, [at(1, 'a'), at(1, 'b'), at(2, 'c')]);
  buffer.mark('a gap');
  for (const line of buffer.lines.slice(0, 3)) assert.equal(lineAt(buffer.lines, pointTo(buffer.lines, line)), line);
  assert.equal(lineAt(buffer.lines, '2026-01-01T00:00:09Z'), undefined);
  assert.equal(lineAt(buffer.lines, ''), undefined);
});
