/** Quantities, ages and tones, as people read them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatBytes, parseQuantity } from './quantity.ts';
import { toneOf } from './tone.ts';

test('quantities are read in all their units', () => {
  const cases = { '4750m': 4.75, '256Mi': 268_435_456, '1k': 1000, '2': 2, '1e3': 1000, '1.5Gi': 1.5 * 2 ** 30 };
  for (const [text, value] of Object.entries(cases)) assert.equal(parseQuantity(text), value, text);
  for (const text of ['', 'x', '1Q', undefined, '5 m']) assert.equal(parseQuantity(text), undefined, String(text));
});

test('bytes are written with as many digits as help', () => {
  assert.deepEqual([formatBytes(0), formatBytes(1536), formatBytes(248 * 2 ** 30)], ['0 B', '1.5 KiB', '248 GiB']);
});

test('ages grow from seconds to years', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const age = (ms: number) => formatAge(new Date(now - ms).toISOString(), now);
  assert.deepEqual(
    [age(5000), age(600_000), age(5 * 3_600_000), age(9 * 86_400_000), age(800 * 86_400_000)],
    ['5s', '10m', '5h', '9d', '2y'],
  );
  assert.equal(formatAge(undefined, now), '');
});

test('a state is unwell before it is on its way, and at rest only by name', () => {
  assert.equal(toneOf({ name: 'running', error: true, transitioning: true }), 'bad');
  assert.equal(toneOf({ name: 'pending', error: false, transitioning: true }), 'warn');
  assert.equal(toneOf({ name: 'Completed', error: false, transitioning: false }), 'idle');
  assert.equal(toneOf({ name: 'active', error: false, transitioning: false }), 'ok');
});
