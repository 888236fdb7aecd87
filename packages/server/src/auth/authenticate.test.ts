/** Signing requests in: every form, every refusal, and how fast a token that was taken back is dead everywhere. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { hasReason, until } from '@drover/base';
import { type Fixture, openFixture, requestOf } from './fixture.ts';
import { issueToken, revokeToken, type TokenRequest } from './tokens.ts';

const minute = 60_000;

async function withUser(fixture: Fixture, request: Partial<TokenRequest> = {}) {
  await fixture.resources.create('user', {
    metadata: { name: 'u-ann' },
    username: 'ann',
    principalIds: ['local://u-ann'],
  });
  const { resource, bearer } = await issueToken(fixture.deps, { userId: 'u-ann', kind: 'session', ...request });
  return { name: resource.metadata.name, token: resource, bearer: bearer.reveal() };
}

const asBearer = (bearer: string) => requestOf({ authorization: `Bearer ${bearer}` });
const anywhere = { path: '/v3', cookies: true };
const isRefused = (error: unknown) => hasReason(error, 'Unauthorized');

test('a token gives its caller by every way it can be shown', async () => {
  await using fixture = await openFixture();
  const { bearer, name } = await withUser(fixture);
  const { authenticate } = fixture.auth;
  const basic = `Basic ${Buffer.from(bearer).toString('base64')}`;
  const expected = {
    userId: 'u-ann',
    username: 'ann',
    groups: ['system:authenticated', 'system:cattle:authenticated'],
    extra: { principalid: ['local://u-ann'], username: ['ann'], requesttokenid: [name], requesthost: ['drover.test'] },
    principals: ['local://u-ann'],
    tokenId: name,
  };
  assert.deepEqual(await authenticate(asBearer(bearer), anywhere), { ...expected, via: 'bearer' });
  assert.deepEqual(await authenticate(requestOf({ authorization: basic }), anywhere), { ...expected, via: 'basic' });
  const cookie = requestOf({ cookie: `R_SESS=${bearer}`, host: 'other.test' });
  const caller = await authenticate(cookie, anywhere);
  assert.equal(caller?.via, 'cookie');
  assert.deepEqual(caller?.extra['requesthost'], ['other.test']);
  assert.equal(await authenticate(cookie, { ...anywhere, cookies: false }), undefined);
  assert.equal(await authenticate(requestOf({}), anywhere), undefined);
});

test('a wrong key, name or form is refused, also right after the right one was taken', async () => {
  await using fixture = await openFixture();
  const { bearer, name } = await withUser(fixture);
  const { authenticate } = fixture.auth;
  await authenticate(asBearer(bearer), anywhere);
  const wrong = bearer.slice(0, -1) + (bearer.endsWith('b') ? 'c' : 'b');
  for (const bad of [wrong, `${name}:`, name, `token-zzzzz:${bearer.split(':')[1]}`, `${bearer}:x`, '', 'x'])
    await assert.rejects(authenticate(asBearer(bad), anywhere), isRefused, bad);
  await assert.rejects(
    authenticate(requestOf({ authorization: 'Bearer x', cookie: `R_SESS=${bearer}` }), anywhere),
    isRefused,
  );
});

test('what the store keeps of a token can not be used as one', async () => {
  await using fixture = await openFixture();
  const { bearer, name } = await withUser(fixture);
  const key = bearer.split(':')[1]!;
  const dump = (await fixture.store.list('/')).entries.map(entry => entry.value).join('\n');
  assert.ok(dump.includes(name) && !dump.includes(key));
  const digest = hash('sha256', key, 'base64');
  assert.ok(!dump.includes(digest));
  const stored = fixture.caches.token.get(name)!.token!;
  for (const text of [`${name}:${stored}`, stored, `${name}:${stored.split(':').at(-1)}`])
    await assert.rejects(fixture.auth.authenticate(asBearer(text), anywhere), isRefused);
});

test('a key kept in plain text by a hand is no key', async () => {
  await using fixture = await openFixture();
  const { bearer, name } = await withUser(fixture);
  const key = bearer.split(':')[1]!;
  await fixture.resources.modify('token', { name }, token => ({ ...token, token: key }));
  await assert.rejects(fixture.auth.authenticate(asBearer(bearer), anywhere), isRefused);
});

const refusals: [string, (fixture: Fixture, name: string) => Promise<unknown>][] = [
  ['disabled', ({ resources }, name) => resources.modify('token', { name }, token => ({ ...token, enabled: false }))],
  ['deleted', ({ deps }, name) => revokeToken(deps, name)],
  [
    'of a disabled user',
    ({ resources }) => resources.modify('user', { name: 'u-ann' }, user => ({ ...user, enabled: false })),
  ],
  ['of a deleted user', ({ resources }) => resources.delete('user', { name: 'u-ann' })],
  ['past its end', async ({ move }) => move(961 * minute)],
  [
    'left alone for too long',
    async ({ values, move }) => {
      values.set('auth-user-session-idle-ttl-minutes', '10');
      move(11 * minute);
    },
  ],
];
for (const [what, change] of refusals) {
  test(`a token ${what} is refused on the very next request, and its running streams are cut`, async () => {
    await using fixture = await openFixture();
    const { bearer, name } = await withUser(fixture);
    const caller = await fixture.auth.authenticate(asBearer(bearer), anywhere);
    const signal = fixture.auth.sessions.signalFor(caller!);
    assert.equal(signal.aborted, false);
    await change(fixture, name);
    await assert.rejects(fixture.auth.authenticate(asBearer(bearer), anywhere), isRefused);
    if (what.startsWith('past') || what.startsWith('left')) return;
    await until('the cut', () => signal.aborted, { timeoutMs: 1000 });
    assert.ok(hasReason(signal.reason, 'Unauthorized'));
    assert.equal(fixture.auth.sessions.signalFor(caller!).aborted, true);
  });
}

test('use keeps a session from being idle', async () => {
  await using fixture = await openFixture();
  fixture.values.set('auth-user-session-idle-ttl-minutes', '10');
  const { bearer } = await withUser(fixture);
  for (let turn = 0; turn < 5; turn++) {
    fixture.move(9 * minute);
    await fixture.auth.authenticate(asBearer(bearer), anywhere);
  }
});

test('a clock that jumps: set back, it brings no ended token to life and stops none that is good', async () => {
  await using fixture = await openFixture();
  const short = await withUser(fixture, { kind: 'derived', ttlMs: 10 * minute });
  const { bearer: long } = await issueToken(fixture.deps, { userId: 'u-ann', kind: 'derived' });
  fixture.move(11 * minute);
  await assert.rejects(fixture.auth.authenticate(asBearer(short.bearer), anywhere), isRefused);
  fixture.move(-60 * minute);
  await assert.rejects(fixture.auth.authenticate(asBearer(short.bearer), anywhere), isRefused);
  await fixture.auth.authenticate(asBearer(long.reveal()), anywhere);
});

test('a token for one cluster is refused on every path of another, and on what belongs to none', async () => {
  await using fixture = await openFixture();
  const { bearer } = await withUser(fixture, { kind: 'kubeconfig', clusterId: 'c-a' });
  const { authenticate } = fixture.auth;
  for (const path of [
    '/k8s/clusters/c-a/api',
    '/v3/clusters/c-a',
    '/v3/cluster/c-a/schemas',
    '/v3/projects/c-a:p-x',
    '/v3/project/c-a%3Ap-x/workloads',
  ])
    assert.equal((await authenticate(asBearer(bearer), { path, cookies: true }))?.clusterId, 'c-a');
  for (const path of [
    '/k8s/clusters/c-b/api',
    '/v3/projects/c-b:p-x',
    '/v3/projects',
    '/v3/projects/c-a',
    '/v3/project/c-a:p-x/../c-b:p-y',
    '/v3',
    '/v3/tokens',
    '/v3/clusters',
    '/metrics',
    '/v1-public/login',
  ])
    await assert.rejects(authenticate(asBearer(bearer), { path, cookies: true }), isRefused, path);
});

test('another server takes a token that was made here at once, and drops it within a second', async () => {
  await using fixture = await openFixture();
  const there = await fixture.replica();
  const { bearer, name } = await withUser(fixture);
  const caller = await there.auth.authenticate(asBearer(bearer), anywhere);
  assert.equal(caller?.userId, 'u-ann');
  const signal = there.auth.sessions.signalFor(caller!);
  await revokeToken(fixture.deps, name);
  await until('the refusal', () => there.auth.authenticate(asBearer(bearer), anywhere).then(() => false, isRefused), {
    timeoutMs: 1000,
  });
  assert.equal(signal.aborted, true);
});

test('trying unknown tokens is bounded, while known ones go on', async () => {
  await using fixture = await openFixture();
  const { bearer } = await withUser(fixture);
  const outcomes = new Set<string>();
  for (let n = 0; n < 400; n++) {
    const guess = `token-${n}:${'b'.repeat(54)}`;
    await fixture.auth
      .authenticate(asBearer(guess), anywhere)
      .catch(error => outcomes.add(hasReason(error, 'TooManyRequests') ? 'limited' : 'refused'));
  }
  assert.deepEqual([...outcomes].sort(), ['limited', 'refused']);
  assert.ok(await fixture.auth.authenticate(asBearer(bearer), anywhere));
});

test('groups of providers are the caller’s, and none that Kubernetes keeps for itself', async () => {
  await using fixture = await openFixture();
  const { bearer } = await withUser(fixture);
  await fixture.resources.create('userAttribute', {
    metadata: { name: 'u-ann' },
    groupPrincipals: {
      github: ['github_team://7', 'system:masters'],
      local: ['local://devs', 'local://system:masters'],
    },
  });
  const caller = await fixture.auth.authenticate(asBearer(bearer), anywhere);
  assert.deepEqual(caller?.groups, ['github_team://7', 'devs', 'system:authenticated', 'system:cattle:authenticated']);
});
