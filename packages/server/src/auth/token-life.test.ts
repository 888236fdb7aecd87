/** How long tokens live by the settings, and when they are over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Token } from '@drover/api';
import { endOf, isIdle, isOver, lifeMs, type TokenKind } from './token-life.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const settingsOf = (values: Record<string, string>) => ({ get: (name: string) => values[name] ?? '' });

const cases: [kind: TokenKind, askedMs: number | undefined, settings: Record<string, string>, expected: number][] = [
  ['session', undefined, {}, 960 * minute],
  ['session', 5 * minute, {}, 960 * minute],
  ['session', -1, { 'auth-user-session-ttl-minutes': '30' }, 30 * minute],
  ['derived', 0, {}, 90 * day],
  ['derived', undefined, { 'auth-token-default-ttl-minutes': '60' }, 60 * minute],
  ['derived', 3 * minute, {}, 3 * minute],
  ['derived', 400 * day, {}, 90 * day],
  ['derived', -1, {}, 90 * day],
  ['derived', -1, { 'auth-token-max-ttl-minutes': '0' }, 0],
  ['derived', 400 * day, { 'auth-token-max-ttl-minutes': '0' }, 400 * day],
  ['derived', 0, { 'auth-token-default-ttl-minutes': '0', 'auth-token-max-ttl-minutes': '10' }, 10 * minute],
  ['kubeconfig', undefined, {}, 30 * day],
  ['kubeconfig', 60 * minute, {}, 60 * minute],
  ['kubeconfig', 999 * day, { 'kubeconfig-max-token-ttl-minutes': '1440' }, day],
  ['derived', undefined, { 'auth-token-default-ttl-minutes': 'soon' }, 90 * day],
  ['derived', Number.MAX_SAFE_INTEGER, { 'auth-token-max-ttl-minutes': '0' }, 36_500 * day],
];
for (const [kind, askedMs, settings, expected] of cases) {
  test(`a ${kind} token asked for ${askedMs} ms under ${JSON.stringify(settings)} lives ${expected / minute} min`, () => {
    assert.equal(lifeMs(settingsOf(settings), kind, askedMs), expected);
  });
}

test('a ttl that is no whole number is refused by field', () => {
  for (const bad of [1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => lifeMs(settingsOf({}), 'derived', bad), /ttl: must be a whole number/);
});

const tokenOf = (fields: Partial<Token>): Token => ({
  apiVersion: 'management.cattle.io/v3',
  kind: 'Token',
  metadata: { name: 'token-a', labels: { 'authn.management.cattle.io/kind': 'session' } },
  ...fields,
});

test('a token without an end never ends, one with an end that can not be read has ended', () => {
  assert.equal(isOver(tokenOf({ expiresAt: '' }), Date.now() + 1e15), false);
  assert.equal(isOver(tokenOf({ expiresAt: 'tomorrow' }), 0), true);
  assert.equal(endOf(tokenOf({ expiresAt: '2026-01-02T03:04:05Z' })), Date.UTC(2026, 0, 2, 3, 4, 5));
});

test('only sessions are idle, and a clock set back makes none idle', () => {
  assert.equal(isIdle(tokenOf({}), 0, 10 * minute, 11 * minute), true);
  assert.equal(isIdle(tokenOf({}), 20 * minute, 10 * minute, 5 * minute), false);
  assert.equal(isIdle(tokenOf({}), 0, 0, 999 * day), false);
  assert.equal(isIdle(tokenOf({ metadata: { name: 'kubeconfig-a' } }), 0, minute, day), false);
});
