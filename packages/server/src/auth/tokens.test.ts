/** Tokens as resources: how they are made, when their use is written, when they are purged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason, silentLog, until } from '@drover/base';
import { startController } from '../resources/index.ts';
import { type Fixture, openFixture, requestOf } from './fixture.ts';
import { TokenUse } from './token-use.ts';
import { issueToken, revokeToken, tokenPurge } from './tokens.ts';

const minute = 60_000;

async function withUser(fixture: Fixture) {
  const metadata = { name: 'u-ann' };
  await fixture.resources.create('user', { metadata, username: 'ann', principalIds: ['local://u-ann'] });
}

test('a token says whose it is, of what kind and until when, and its bearer is not logged', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { resource, bearer } = await issueToken(fixture.deps, { userId: 'u-ann', kind: 'session', description: 'x' });
  const { metadata, token, expiresAt, ...rest } = resource;
  assert.deepEqual(rest, {
    apiVersion: 'management.cattle.io/v3',
    kind: 'Token',
    userId: 'u-ann',
    userPrincipal: 'local://u-ann',
    authProvider: 'local',
    description: 'x',
    ttl: 960 * minute,
    enabled: true,
    isDerived: false,
  });
  assert.match(metadata.name, /^token-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.deepEqual(metadata.labels, {
    'authn.management.cattle.io/token-userId': 'u-ann',
    'authn.management.cattle.io/kind': 'session',
  });
  assert.deepEqual(metadata.annotations, { 'authn.management.cattle.io/token-hashed': 'true' });
  assert.match(token!, /^\$3:1:/);
  assert.ok(Math.abs(Date.parse(expiresAt!) - Date.now() - 960 * minute) < minute);
  assert.match(bearer.reveal(), new RegExp(`^${metadata.name}:[bcdfghjklmnpqrstvwxz2456789]{54}$`));
  assert.equal(`${bearer} ${JSON.stringify({ bearer })}`, '*** {"bearer":"***"}');
});

test('kubeconfig tokens are named for their user, derived ones have no kind, and one without an end says none', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { deps, values } = fixture;
  const kubeconfig = await issueToken(deps, { userId: 'u-ann', kind: 'kubeconfig', clusterId: 'c-a' });
  assert.match(kubeconfig.resource.metadata.name, /^kubeconfig-u-ann[a-z0-9]{5}$/);
  assert.deepEqual([kubeconfig.resource.clusterName, kubeconfig.resource.isDerived], ['c-a', true]);
  values.set('auth-token-max-ttl-minutes', '0');
  const derived = await issueToken(deps, { userId: 'u-ann', kind: 'derived', ttlMs: -1 });
  assert.deepEqual([derived.resource.ttl, derived.resource.expiresAt], [0, '']);
  assert.equal(derived.resource.metadata.labels?.['authn.management.cattle.io/kind'], undefined);
});

test('no token is made for who is not there, is disabled or is going, nor for what is no cluster', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { deps, resources } = fixture;
  const issue = (clusterId?: string) => issueToken(deps, { userId: 'u-ann', kind: 'derived', clusterId });
  await assert.rejects(issue('../c-b'), /clusterId: must be the id of a cluster/);
  await resources.modify('user', { name: 'u-ann' }, user => ({ ...user, enabled: false }));
  await assert.rejects(issue(), error => hasReason(error, 'Forbidden'));
  await assert.rejects(issueToken(deps, { userId: 'u-none', kind: 'derived' }), error => hasReason(error, 'NotFound'));
  await resources.modify('user', { name: 'u-ann' }, user => ({
    ...user,
    enabled: true,
    metadata: { ...user.metadata, finalizers: ['test/hold'] },
  }));
  await resources.delete('user', { name: 'u-ann' });
  await assert.rejects(issue(), error => hasReason(error, 'NotFound'));
});

test('taking back a token twice is fine', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { resource } = await issueToken(fixture.deps, { userId: 'u-ann', kind: 'derived' });
  await revokeToken(fixture.deps, resource.metadata.name);
  await revokeToken(fixture.deps, resource.metadata.name);
});

test('the use of a token is written in the background, at most once a minute however often it is used', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { deps, caches, move } = fixture;
  const { resource, bearer } = await issueToken(deps, { userId: 'u-ann', kind: 'derived' });
  const { name } = resource.metadata;
  const use = new TokenUse(deps);
  const written = async () => {
    for (let times = 0; times < 100; times++) use.note(name, deps.now!());
    await use.flush();
    return caches.token.get(name)!.metadata.resourceVersion;
  };
  const first = await written();
  assert.notEqual(first, resource.metadata.resourceVersion);
  move(30_000);
  assert.equal(await written(), first);
  move(31_000);
  assert.notEqual(await written(), first);
  const asked = requestOf({ authorization: `Bearer ${bearer.reveal()}` });
  assert.ok(await fixture.auth.authenticate(asked, { path: '/v3', cookies: false }));
});

test('what is noted is bounded, and a token that is gone is forgotten', async () => {
  await using fixture = await openFixture();
  const use = new TokenUse(fixture.deps, { maxTokens: 10 });
  for (let token = 0; token < 100; token++) use.note(`token-${token}`, Date.now());
  assert.equal(use.size, 10);
  await use.flush();
  assert.equal(use.size, 0);
});

test('a token is purged an hour after its end, and one that is good stays', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { caches, resources, signal } = fixture;
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const make = (name: string, expiresAt: string) =>
    resources.create('token', { metadata: { name }, userId: 'u-ann', expiresAt });
  await make('token-old', at(-61 * minute));
  await make('token-over', at(-minute));
  await make('token-good', at(minute));
  await make('token-endless', '');
  startController(tokenPurge, { resources, caches, log: silentLog, signal });
  await until('the purge', () => !caches.token.get('token-old'));
  assert.equal(caches.token.size, 3);
});

test('what runs with a token is cut when the token ends by itself', async () => {
  await using fixture = await openFixture();
  await withUser(fixture);
  const { Sessions } = await import('./sessions.ts');
  const { caches, auth, deps, signal } = fixture;
  const sessions = new Sessions({ caches, access: auth.access, now: deps.now, sweepEveryMs: 10 }, signal);
  const { bearer } = await issueToken(deps, { userId: 'u-ann', kind: 'derived', ttlMs: 5 * minute });
  const asked = requestOf({ authorization: `Bearer ${bearer.reveal()}` });
  const caller = await auth.authenticate(asked, { path: '/v3', cookies: false });
  const running = sessions.signalFor(caller!);
  assert.equal(running, sessions.signalFor(caller!));
  fixture.move(6 * minute);
  await until('the cut', () => running.aborted);
});
