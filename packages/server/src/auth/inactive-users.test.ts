/** People of providers elsewhere who do not come any more: disabled by themselves, and nobody else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { makeExternalUser } from '../auth-providers/external-users.ts';
import { startController } from '../resources/index.ts';
import { settingChecks, settingDefaults } from '../setting-list.ts';
import { openFixture, requestOf } from './fixture.ts';
import { durationMs, inactiveUsers } from './inactive-users.ts';
import { issueToken } from './tokens.ts';
import { createUser } from './users.ts';

const day = 24 * 3_600_000;
const iso = (time: number) => new Date(time).toISOString();

test('who has not signed in for longer than the setting says is disabled, and his tokens with him', async () => {
  await using fixture = await openFixture();
  const { deps, resources, caches, values, move, signal, auth } = fixture;
  // As it is by default.
  values.set('disable-inactive-user-after', settingDefaults['disable-inactive-user-after']!);
  const principal = (name: string) => ({ id: `okta_user://${name}`, displayName: name });
  const gone = (await makeExternalUser(deps, principal('gone'))).metadata.name;
  const here = (await makeExternalUser(deps, principal('here'))).metadata.name;
  const local = (await createUser(deps, { username: 'local', password: 'a password long enough' })).metadata.name;
  await resources.create('authConfig', { metadata: { name: 'okta' }, configType: 'oktaConfig', enabled: true });
  const attribute = { metadata: { name: here }, groupPrincipals: {}, lastLogin: iso(Date.now() + 80 * day) };
  await resources.create('userAttribute', attribute);
  move(91 * day);
  const { bearer } = await issueToken(deps, { userId: gone, kind: 'derived', authProvider: 'okta', ttlMs: 30 * day });
  const status = () =>
    auth.authenticate(requestOf({ authorization: `Bearer ${bearer.reveal()}` }), { path: '/v3', cookies: true }).then(
      caller => caller?.userId,
      error => error.status,
    );
  assert.equal(await status(), gone);
  const running = startController(inactiveUsers(deps), { resources, caches, log: silentLog, signal });
  const enabled = (id: string) => caches.user.get(id)?.enabled;
  await until('he is disabled', () => enabled(gone) === false);
  assert.equal(await status(), 401);
  assert.deepEqual([enabled(here), enabled(local)], [true, true]);

  // An admin who enables him again means it.
  await resources.modify('user', { name: gone }, user => ({ ...user, enabled: true }));
  const annotations = () => caches.user.get(gone)?.metadata.annotations ?? {};
  await until('he begins anew', () => annotations()['auth.cattle.io/inactivity-counted-from'] !== undefined);
  assert.equal(enabled(gone), true);
  move(80 * day);
  running.poke(gone);
  running.poke(here);
  await until('the other one is disabled now', () => enabled(here) === false);
  assert.equal(enabled(gone), true);

  values.set('delete-inactive-user-after', '336h');
  running.poke(gone);
  await until('who is to be deleted is', () => caches.user.get(gone) === undefined);
  assert.equal(enabled(local), true);
});

test('off is off, and times are what they say', async () => {
  assert.deepEqual(['2160h', '1h30m', '90s', '', 'soon', '-1h', '1d', '5'].map(durationMs), [
    2160 * 3_600_000,
    5_400_000,
    90_000,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(durationMs(settingDefaults['disable-inactive-user-after']!), 90 * day, 'on by default');
  for (const value of ['1h', 'soon', '90'])
    assert.throws(() => settingChecks['disable-inactive-user-after']!(value), /2160h/);
  settingChecks['disable-inactive-user-after']!('');
});
