/** Registration tokens: how long, what replaces what, what people are told, what logs show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterRegistrationToken, SecretResource } from '@drover/api';
import { describeRegistrationToken, redactPath, rotated, tokenTimes } from './registration-token.ts';

const crt = (spec: { ttl?: number; gracePeriod?: number } = {}) =>
  ({ metadata: { name: 'default-token', namespace: 'c-abc' }, spec }) as unknown as ClusterRegistrationToken;
const setting = (name: string) =>
  ({ 'crt-default-ttl-minutes': '100', 'crt-default-grace-period-minutes': '20' })[name] ?? '';

test('times: its own numbers before the settings, bounded below, never when zero or less', () => {
  const minutes = ({ ttlMs, graceMs }: ReturnType<typeof tokenTimes>) => [ttlMs && ttlMs / 60_000, graceMs / 60_000];
  assert.deepEqual(minutes(tokenTimes(crt(), setting)), [100, 20]);
  assert.deepEqual(minutes(tokenTimes(crt({ ttl: 5, gracePeriod: 1 }), setting)), [30, 10]);
  assert.deepEqual(minutes(tokenTimes(crt({ ttl: 50, gracePeriod: 60 }), setting)), [50, 40]);
  assert.deepEqual(minutes(tokenTimes(crt({ ttl: 0 }), setting)), [undefined, 0]);
  assert.deepEqual(minutes(tokenTimes(crt(), () => '')), [43_200, 180]);
});

test('a new token is another one, and the one before stays good for its time', () => {
  const times = { ttlMs: 3_600_000, graceMs: 60_000 };
  const first = rotated(undefined, times, 0);
  assert.match(first['token'] ?? '', /^[b-df-hj-np-tv-xz2456789]{54}$/);
  assert.equal(first['expiresAt'], '1970-01-01T01:00:00Z');
  const second = rotated(first, times, 3_600_000);
  assert.notEqual(second['token'], first['token']);
  assert.equal(second['previousToken'], first['token']);
  assert.equal(second['gracePeriodExpiresAt'], '1970-01-01T01:01:00Z');
});

test('commands, and no token in what is logged', () => {
  const secret = { stringData: { token: 'tok' } } as unknown as SecretResource;
  const told = describeRegistrationToken(crt(), secret, { serverUrl: 'https://a/' });
  assert.equal(told.manifestUrl, 'https://a/v3/import/tok_c-abc.yaml');
  assert.equal(told.command, 'kubectl apply -f https://a/v3/import/tok_c-abc.yaml');
  assert.equal(describeRegistrationToken(crt(), secret, { serverUrl: '' }).command, '');
  assert.equal(redactPath('/v3/import/tok_c-abc.yaml?x=1'), '/v3/import/***_c-abc.yaml?x=1');
});
