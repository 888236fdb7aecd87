/** Buckets and the limits of sign-ins made of them, on a clock of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason } from '@drover/base';
import { LoginLimits } from './login-limits.ts';
import { Bucket, Buckets } from './rate-limit.ts';

function clock() {
  let ms = 0;
  return { now: () => ms, pass: (by: number) => (ms += by) };
}

test('a bucket gives its burst, then says how long to wait, then fills', () => {
  const time = clock();
  const bucket = new Bucket({ burst: 2, perSecond: 0.5, now: time.now });
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [0, 0, 2]);
  time.pass(2000);
  assert.deepEqual([bucket.take(), bucket.take()], [0, 2]);
});

test('buckets by key are bounded', () => {
  const time = clock();
  const buckets = new Buckets({ burst: 1, perSecond: 0.001, maxKeys: 100, now: time.now });
  for (let key = 0; key < 10_000; key++) buckets.take(String(key));
  assert.ok(buckets.size <= 100);
});

const isLimited = (error: unknown) => hasReason(error, 'TooManyRequests');

test('guessing one name from one address is held back, and the refusal says for how long', () => {
  const limits = new LoginLimits({ now: clock().now });
  for (let tries = 0; tries < 10; tries++) limits.attempt('192.0.2.1', 'ann');
  assert.throws(
    () => limits.attempt('192.0.2.1', 'ANN'),
    error => hasReason(error, 'TooManyRequests') && error.details.retryAfterSeconds === 10,
  );
  limits.attempt('192.0.2.1', 'bob');
  limits.attempt('192.0.2.2', 'ann');
});

test('signing in well costs nothing, however often', () => {
  const limits = new LoginLimits({ now: clock().now });
  for (let tries = 0; tries < 1000; tries++) limits.attempt('192.0.2.1', 'ann').succeeded();
});

test('strangers everywhere can not lock out who has signed in from his own address before', () => {
  const limits = new LoginLimits({ now: clock().now });
  limits.attempt('192.0.2.1', 'ann').succeeded();
  for (let host = 0; host < 100; host++) limits.attempt(`198.51.100.${host}`, 'ann');
  assert.throws(() => limits.attempt('203.0.113.1', 'ann'), isLimited);
  limits.attempt('192.0.2.1', 'ann').succeeded();
});

test('trying many names from one address is held back, with one IPv6 network counted as one address', () => {
  const limits = new LoginLimits({ now: clock().now });
  for (let n = 0; n < 60; n++) limits.attempt(`2001:db8::${n.toString(16)}`, `user${n}`);
  assert.throws(() => limits.attempt('2001:db8:0:0:ffff::1', 'somebody'), isLimited);
  limits.attempt('2001:db8:1::1', 'somebody');
});
