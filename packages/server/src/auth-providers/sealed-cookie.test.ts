/** What a browser carries for a sign-in under way: good for that browser, that sign-in and ten minutes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { Secret } from '@drover/base';
import { newState, type Pending, pendingMs, readPending, setPending } from './sealed-cookie.ts';

const key = new Secret(randomBytes(32).toString('base64url'));
const now = Date.parse('2026-01-01T00:00:00Z');

const pendingOf = (more: Partial<Pending> = {}): Pending => ({
  provider: 'oidc',
  state: newState(),
  returnTo: '/',
  expiresAt: now + pendingMs,
  data: { verifier: 'only this browser knows' },
  ...more,
});

/** The cookie as it is set: its name, its value and the whole line. */
function cookieOf(pending: Pending, crossSite = false) {
  const lines: string[] = [];
  setPending({ appendHeader: (_: string, line: string) => lines.push(line) } as unknown as ServerResponse, key, {
    pending,
    crossSite,
  });
  const [line = ''] = lines;
  const [pair = ''] = line.split(';');
  const equals = pair.indexOf('=');
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), line };
}

const requestWith = (cookie: string) => ({ headers: { cookie } }) as unknown as IncomingMessage;
const read = (cookie: string, expected: { state: string; provider?: string; now?: number }, by = key) =>
  readPending(requestWith(cookie), by, { now, ...expected });

test('what was begun is found again, by its state alone', () => {
  const pending = pendingOf();
  const { name, value } = cookieOf(pending);
  assert.deepEqual(read(`${name}=${value}`, { state: pending.state, provider: 'oidc' }), pending);
  assert.equal(read(`${name}=${value}`, { state: newState() }), undefined);
  assert.equal(read(`${name}=${value}`, { state: pending.state, provider: 'okta' }), undefined);
  assert.equal(read('', { state: pending.state }), undefined);
  assert.equal(read(`${name}=${value}`, { state: '' }), undefined);
});

test('it ends after ten minutes', () => {
  const pending = pendingOf();
  const { name, value } = cookieOf(pending);
  assert.ok(read(`${name}=${value}`, { state: pending.state, now: now + pendingMs - 1 }));
  assert.equal(read(`${name}=${value}`, { state: pending.state, now: now + pendingMs }), undefined);
});

test('one that was altered, moved to another sign-in or sealed by another is none', () => {
  const pending = pendingOf();
  const other = pendingOf();
  const { name, value } = cookieOf(pending);
  const flipped = `${value.slice(0, -2)}${value.endsWith('AA') ? 'BB' : 'AA'}`;
  assert.equal(read(`${name}=${flipped}`, { state: pending.state }), undefined);
  assert.equal(read(`${cookieOf(other).name}=${value}`, { state: other.state }), undefined);
  const stranger = new Secret(randomBytes(32).toString('base64url'));
  assert.equal(read(`${name}=${value}`, { state: pending.state }, stranger), undefined);
  for (const noise of ['', 'x', 'A'.repeat(5000), '%00'])
    assert.equal(read(`${name}=${noise}`, { state: pending.state }), undefined);
});

test('pages and neighbours can neither read nor plant it, and it tells nothing', () => {
  const { name, value, line } = cookieOf(pendingOf());
  assert.match(name, /^__Host-/);
  assert.match(line, /; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/);
  assert.doesNotMatch(line, /Domain/i);
  assert.match(cookieOf(pendingOf(), true).line, /SameSite=None$/);
  assert.ok(!Buffer.from(value, 'base64url').includes('only this browser knows'));
});
