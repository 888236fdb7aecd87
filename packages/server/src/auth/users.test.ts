/** Users from first start to removal: names that stay unique, passwords that follow the rules, nothing left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason, Secret, StatusError, silentLog, until } from '@drover/base';
import { startController } from '../resources/index.ts';
import { bootstrapAdmin } from './bootstrap.ts';
import { bindInCluster, callerOf, type Fixture, openFixture, seedRoles } from './fixture.ts';
import { proveLocal } from './local-provider.ts';
import { checkPassword, storeHash } from './passwords.ts';
import { issueToken } from './tokens.ts';
import { userCleanup } from './user-cleanup.ts';
import { changePassword, createUser, deleteUser, setPassword, updateUser } from './users.ts';

const password = 'correct horse battery';
const withCode = (code: string, field?: string) => (error: unknown) =>
  error instanceof StatusError && error.details.code === code && (!field || error.details.field === field);
const ann = callerOf('u-ann');

async function withAdmin(fixture: Fixture) {
  await seedRoles(fixture);
  await fixture.resources.create('globalRoleBinding', { metadata: {}, globalRoleName: 'admin', userName: 'u-ann' });
  await createUser(fixture.deps, { id: 'u-ann', username: 'ann', password });
}

type Proof = Parameters<typeof proveLocal>;
const signInLocally = async (deps: Proof[0], given: Proof[1]) =>
  (await proveLocal(deps, given, 'https://drover.test')).user;

test('a new user has his principal, no rights, and a password that only its hash is kept of', async () => {
  await using fixture = await openFixture();
  await seedRoles(fixture);
  const user = await createUser(fixture.deps, { username: 'bob', password, displayName: 'Bob' });
  const id = user.metadata.name;
  assert.match(id, /^u-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.deepEqual([user.principalIds, user.enabled, user.mustChangePassword], [[`local://${id}`], true, false]);
  assert.equal(fixture.auth.access.grantsOf(callerOf(id)).rules.length, 0);
  const dump = (await fixture.store.list('/')).entries.map(entry => entry.value).join('\n');
  assert.ok(!dump.includes(password) && !dump.includes('argon2id'));
  assert.equal((await signInLocally(fixture.deps, { username: 'BOB', password })).metadata.name, id);
});

const bad: [string, { username?: string; password?: string }, code: string, field: string][] = [
  ['too short a password', { password: 'short' }, 'MinLengthExceeded', 'password'],
  [
    'the username as password',
    { username: 'a-long-username', password: 'A-Long-Username' },
    'InvalidFormat',
    'password',
  ],
  ['an endless password', { password: 'x'.repeat(2000) }, 'MaxLengthExceeded', 'password'],
  ['a taken username', { username: 'ann' }, 'NotUnique', 'username'],
  ['a username that differs in case only', { username: 'ANN' }, 'NotUnique', 'username'],
  ['a username with spaces', { username: 'a b' }, 'InvalidCharacters', 'username'],
  ['a username that looks like another', { username: 'ａｎｎ' }, 'InvalidCharacters', 'username'],
  ['no username', { username: '' }, 'InvalidCharacters', 'username'],
];
test('a user is refused by field', async t => {
  await using fixture = await openFixture();
  await withAdmin(fixture);
  for (const [name, change, code, field] of bad)
    await t.test(name, () =>
      assert.rejects(createUser(fixture.deps, { username: 'new', password, ...change }), withCode(code, field)),
    );
  await t.test('by the length that the settings ask for', async () => {
    fixture.values.set('password-min-length', '30');
    await assert.rejects(createUser(fixture.deps, { username: 'new', password }), /at least 30 characters/);
  });
});

test('of many that ask for one username on two servers at once, one gets it', async () => {
  await using fixture = await openFixture();
  const there = await fixture.replica();
  const tries = [fixture, there, fixture, there, fixture].map(each =>
    createUser(each.deps, { username: 'eve', password }),
  );
  const outcomes = await Promise.allSettled(tries);
  const made = outcomes.filter(outcome => outcome.status === 'fulfilled');
  assert.equal(made.length, 1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') assert.ok(withCode('NotUnique')(outcome.reason), String(outcome.reason));
  const users = (await fixture.resources.list('user')).items.filter(user => user.username === 'eve');
  assert.equal(users.length, 1);
});

test('a username that a crash left claimed is free again after a minute', async () => {
  await using fixture = await openFixture();
  const { resources, deps } = fixture;
  await createUser(deps, { id: 'u-gone', username: 'ida', password });
  await resources.delete('user', { name: 'u-gone' });
  await assert.rejects(createUser(deps, { username: 'ida', password }), withCode('NotUnique'));
  fixture.move(61_000);
  await createUser(deps, { username: 'ida', password });
});

test('a password is changed by who knows it, which ends his other sessions and his having to', async () => {
  await using fixture = await openFixture();
  const { deps, caches } = fixture;
  await createUser(deps, { id: 'u-bob', username: 'bob', password, mustChangePassword: true });
  const [mine, other] = await Promise.all([1, 2].map(() => issueToken(deps, { userId: 'u-bob', kind: 'session' })));
  const api = await issueToken(deps, { userId: 'u-bob', kind: 'derived' });
  const bob = callerOf('u-bob', { tokenId: mine!.resource.metadata.name });
  const change = (currentPassword: string, newPassword: string) =>
    changePassword(deps, bob, { currentPassword, newPassword });
  await assert.rejects(change('wrong', 'another password'), withCode('InvalidBodyContent', 'currentPassword'));
  await assert.rejects(change(password, password), withCode('InvalidBodyContent', 'newPassword'));
  await assert.rejects(change(password, 'short'), withCode('MinLengthExceeded', 'newPassword'));
  await change(password, 'another password');
  assert.equal(await checkPassword(deps.resources, 'u-bob', password), false);
  assert.equal(await checkPassword(deps.resources, 'u-bob', 'another password'), true);
  assert.equal(caches.user.get('u-bob')?.mustChangePassword, false);
  assert.equal(fixture.values.get('first-login'), 'false');
  const left = [mine!, other!, api].map(({ resource }) => caches.token.get(resource.metadata.name) !== undefined);
  assert.deepEqual(left, [true, false, true]);
});

test('who may manage users can not take over an admin, by password or otherwise', async () => {
  await using fixture = await openFixture();
  await withAdmin(fixture);
  const { deps, resources } = fixture;
  await createUser(deps, { id: 'u-una', username: 'una', password });
  await resources.create('globalRoleBinding', { metadata: {}, globalRoleName: 'users-manage', userName: 'u-una' });
  const una = callerOf('u-una');
  const isForbidden = (error: unknown) => hasReason(error, 'Forbidden');
  await assert.rejects(setPassword(deps, una, { id: 'u-ann', newPassword: 'another password' }), isForbidden);
  await assert.rejects(updateUser(deps, una, { id: 'u-ann', enabled: false }), isForbidden);
  await assert.rejects(deleteUser(deps, una, 'u-ann'), isForbidden);
  assert.equal(await checkPassword(resources, 'u-ann', password), true);
  await setPassword(deps, ann, { id: 'u-una', newPassword: 'another password' });
  assert.equal(await checkPassword(resources, 'u-una', 'another password'), true);
});

test('nobody locks himself out, and a username never changes', async () => {
  await using fixture = await openFixture();
  await withAdmin(fixture);
  const { deps } = fixture;
  await assert.rejects(deleteUser(deps, ann, 'u-ann'), withCode('InvalidAction'));
  await assert.rejects(updateUser(deps, ann, { id: 'u-ann', enabled: false }), withCode('InvalidAction'));
  const change = { id: 'u-ann', displayName: 'Ann', username: 'bob' };
  const user = await updateUser(deps, ann, change);
  assert.deepEqual([user.displayName, user.username], ['Ann', 'ann']);
  await updateUser(deps, ann, { id: 'u-ann', mustChangePassword: true });
  await assert.rejects(updateUser(deps, ann, { id: 'u-ann', mustChangePassword: false }), withCode('InvalidAction'));
});

test('system users are not there', async () => {
  await using fixture = await openFixture();
  await withAdmin(fixture);
  await fixture.resources.create('user', { metadata: { name: 'u-sys' }, principalIds: ['system://provisioning'] });
  await assert.rejects(deleteUser(fixture.deps, ann, 'u-sys'), error => hasReason(error, 'NotFound'));
});

test('with a user goes all that was his', async () => {
  await using fixture = await openFixture();
  await withAdmin(fixture);
  const { deps, caches, resources, signal } = fixture;
  startController(userCleanup, { resources, caches, log: silentLog, signal });
  await createUser(deps, { id: 'u-bob', username: 'bob', password });
  await issueToken(deps, { userId: 'u-bob', kind: 'session' });
  await bindInCluster(fixture, 'c-a', 'cluster-member', 'u-bob');
  await bindInCluster(fixture, 'c-b', 'cluster-member', { userPrincipalName: 'local://u-bob' });
  await resources.create('globalRoleBinding', { metadata: {}, globalRoleName: 'user', userName: 'u-bob' });
  await resources.create('preference', { metadata: { name: 'theme', namespace: 'u-bob' }, value: 'dark' });
  await until('the finalizer', () => caches.user.get('u-bob')?.metadata.finalizers?.length);
  await deleteUser(deps, ann, 'u-bob');
  await until('the end of the user', () => !caches.user.get('u-bob'));
  const entries = (await fixture.store.list('/')).entries.filter(
    entry => entry.value.includes('bob') || entry.key.includes('bob'),
  );
  assert.deepEqual(
    entries.map(entry => entry.key),
    [],
  );
  const again = await createUser(deps, { username: 'bob', password });
  assert.notEqual(again.metadata.name, 'u-bob');
});

test('an imported password is taken, and kept as ours from then on', async () => {
  await using fixture = await openFixture();
  const { deps, resources } = fixture;
  await createUser(deps, { id: 'u-bob', username: 'bob', password });
  const { hash } = await import('bcryptjs');
  await storeHash(resources, 'u-bob', await hash('imported password', 4));
  assert.equal(await checkPassword(resources, 'u-bob', 'imported password'), true);
  const secret = await resources.get('secret', 'u-bob', 'cattle-local-user-passwords');
  assert.match(secret.stringData!['hash']!, /^\$argon2id/);
  assert.equal(await checkPassword(resources, 'u-bob', 'imported password'), true);
});

test('a disabled user learns it only with his password; an unknown one learns nothing', async () => {
  await using fixture = await openFixture();
  const { deps } = fixture;
  await createUser(deps, { id: 'u-bob', username: 'bob', password, enabled: false });
  const failed = (error: unknown) => hasReason(error, 'Unauthorized') && error.message === 'authentication failed';
  await assert.rejects(signInLocally(deps, { username: 'bob', password: 'wrong' }), failed);
  await assert.rejects(signInLocally(deps, { username: 'nobody', password }), failed);
  await assert.rejects(signInLocally(deps, { username: 'bob', password }), error => hasReason(error, 'Forbidden'));
});

test('the first start makes one admin, with a password that is told until it is changed', async () => {
  await using fixture = await openFixture();
  await seedRoles(fixture);
  const { deps, caches, auth } = fixture;
  const first = await bootstrapAdmin(deps);
  const again = await bootstrapAdmin(deps);
  assert.deepEqual(again?.password?.reveal(), first?.password?.reveal());
  const { userId } = first!;
  const user = await signInLocally(deps, { username: 'admin', password: first!.password!.reveal() });
  assert.match(user.metadata.name, /^user-[a-z0-9]{5}$/);
  assert.equal(user.metadata.labels?.['authz.management.cattle.io/bootstrapping'], 'admin-user');
  assert.equal(user.mustChangePassword, true);
  const admin = callerOf(userId);
  assert.equal(auth.access.isAdmin(admin), true);
  await setPassword(deps, admin, { id: userId, newPassword: 'another password' });
  assert.deepEqual(await bootstrapAdmin(deps), { userId, username: 'admin' });
  assert.equal(await checkPassword(deps.resources, userId, 'another password'), true);
  assert.equal(caches.user.size, 1);
});

test('a given bootstrap password is not kept, and need not be changed unless everybody knows it', async () => {
  for (const [given, mustChange] of [
    ['a given password', false],
    ['admin', true],
  ] as const) {
    await using fixture = await openFixture();
    await seedRoles(fixture);
    const made = await bootstrapAdmin(fixture.deps, new Secret(given));
    assert.equal(made?.password, undefined);
    const user = await signInLocally(fixture.deps, { username: 'admin', password: given });
    assert.equal(user.mustChangePassword, mustChange);
    const secrets = (await fixture.resources.list('secret')).items.map(secret => JSON.stringify(secret.stringData));
    assert.ok(!secrets.some(text => text.includes(`"${given}"`) && given !== 'admin'));
  }
});

test('servers that start at once, and one that crashed at any step before, make one admin between them', async () => {
  await using fixture = await openFixture();
  await seedRoles(fixture);
  const there = await fixture.replica();
  const both = await Promise.all([bootstrapAdmin(fixture.deps), bootstrapAdmin(there.deps)]);
  assert.equal(both[0]?.userId, both[1]?.userId);
  assert.equal(both[0]?.password?.reveal(), both[1]?.password?.reveal());
  for (let crashAfter = 1; crashAfter <= 5; crashAfter++) {
    await using crashed = await openFixture();
    await seedRoles(crashed);
    let writes = 0;
    const resources = new Proxy(crashed.resources, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'create' && ++writes > crashAfter) throw new Error('the power went');
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    await bootstrapAdmin({ ...crashed.deps, resources }).catch(() => undefined);
    const made = await bootstrapAdmin(crashed.deps);
    const { items } = await crashed.resources.list('user');
    assert.equal(items.length, 1, `after ${crashAfter} writes`);
    await signInLocally(crashed.deps, { username: 'admin', password: made!.password!.reveal() });
    assert.equal(crashed.caches.globalRoleBinding.size, 1);
  }
});

test('no admin is made where none is wanted', async () => {
  await using fixture = await openFixture();
  fixture.values.set('no-default-admin', 'true');
  assert.equal(await bootstrapAdmin(fixture.deps), undefined);
  assert.equal(fixture.caches.user.size, 0);
});
