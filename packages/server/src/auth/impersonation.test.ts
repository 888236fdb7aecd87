/** Identities towards clusters: written so that Kubernetes reads the same, and wishes of clients granted by right alone. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { hasReason } from '@drover/base';
import fc from 'fast-check';
import { controllerUser } from '../clusters/upstream.ts';
import { bindInCluster, callerOf, type Fixture, openFixture, seedRoles } from './fixture.ts';
import { identityHeaders, stripIdentity } from './impersonation.ts';

test('an identity is written as the headers that Kubernetes reads', () => {
  const identity = callerOf('u-ann', {
    groups: ['github_team://7', 'system:authenticated'],
    extra: { principalid: ['local://u-ann', 'github_user://1'], 'example.com/a%b': ['x'] },
  });
  assert.deepEqual(identityHeaders(identity, 'drover.test'), [
    ['Impersonate-User', 'u-ann'],
    ['Impersonate-Group', 'github_team://7'],
    ['Impersonate-Group', 'system:authenticated'],
    ['Impersonate-Extra-principalid', 'local://u-ann'],
    ['Impersonate-Extra-principalid', 'github_user://1'],
    ['Impersonate-Extra-example.com%2Fa%25b', 'x'],
    ['Impersonate-Extra-requesthost', 'drover.test'],
  ]);
});

test('names in any script arrive as their UTF-8 bytes, and control characters never leave', async t => {
  const seen = Promise.withResolvers<string[]>();
  const server = createServer((incoming, response) => {
    seen.resolve(incoming.rawHeaders);
    response.end();
  });
  t.after(() => server.close());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const headers = identityHeaders(callerOf('u-ann', { groups: ['grüne ☂ 组'], extra: {} }));
  await new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    request({ port, headers: ['Host', 'kubernetes', ...headers.flat()] }, response =>
      response.resume().on('end', resolve),
    )
      .on('error', reject)
      .end();
  });
  const raw = await seen.promise;
  const group = raw[raw.indexOf('Impersonate-Group') + 1]!;
  assert.equal(Buffer.from(group, 'latin1').toString('utf8'), 'grüne ☂ 组');
  for (const bad of ['a\r\nX-Evil: 1', 'a\nb', 'a\0b', 'a\x7f'])
    assert.throws(() => identityHeaders(callerOf(bad)), /control characters/);
});

test('without a user there are no headers but an error: nothing goes out with the server’s own rights', () => {
  assert.throws(() => identityHeaders(callerOf('')), /without an identity/);
});

test('no Impersonate header of a client is left, however it is written', () => {
  const anyCase = (text: string) =>
    fc
      .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
      .map(flags => [...text].map((letter, index) => (flags[index] ? letter.toUpperCase() : letter)).join(''));
  const identityName = fc
    .tuple(anyCase('impersonate-'), fc.constantFrom('User', 'group', 'Extra-x', 'UID', '', 'anything'))
    .map(parts => parts.join(''));
  const other = fc.constantFrom('Accept', 'X-Impersonate-User', 'Impersonate', 'Authorization');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(identityName, other), fc.string())), pairs => {
      const kept = stripIdentity(pairs.flat());
      assert.equal(
        kept.some((text, index) => index % 2 === 0 && /^impersonate-/i.test(text)),
        false,
      );
      const others = pairs.filter(([name]) => !/^impersonate-/i.test(name)).flat();
      assert.deepEqual(kept, others);
    }),
  );
});

async function seed(fixture: Fixture) {
  await seedRoles(fixture);
  const { resources } = fixture;
  await resources.create('cluster', { metadata: { name: 'c-a' }, spec: {} });
  await resources.create('globalRoleBinding', { metadata: {}, globalRoleName: 'admin', userName: 'u-ann' });
  await bindInCluster(fixture, 'c-a', 'cluster-owner', 'u-oli');
  await bindInCluster(fixture, 'c-a', 'cluster-member', 'u-mia');
  await resources.create('roleTemplate', {
    metadata: { name: 'rt-keeper' },
    context: 'cluster',
    rules: [{ apiGroups: ['management.cattle.io'], resources: ['clusters'], verbs: ['own'] }],
  });
  await bindInCluster(fixture, 'c-a', 'rt-keeper', 'u-kim');
  await resources.create('globalRole', {
    metadata: { name: 'gr-support' },
    displayName: 'support',
    newUserDefault: false,
    rules: [
      { apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: ['u-mia'] },
      { apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: ['devs'] },
    ],
  });
  await resources.create('globalRoleBinding', { metadata: {}, globalRoleName: 'gr-support', userName: 'u-sue' });
}

const ann = callerOf('u-ann');
const oli = callerOf('u-oli');
const mia = callerOf('u-mia');
const sue = callerOf('u-sue');
const kim = callerOf('u-kim');
const account = 'system:serviceaccount:ns:builder';

const granted: [string, typeof ann, string[], userId: string, groups: string[]][] = [
  ['nothing asked for: the caller', mia, ['Accept', 'x'], 'u-mia', mia.groups as string[]],
  [
    'an admin as anybody',
    ann,
    ['Impersonate-User', 'bob', 'impersonate-group', 'devs'],
    'bob',
    ['devs', 'system:authenticated'],
  ],
  ['anybody as himself', mia, ['IMPERSONATE-USER', 'u-mia'], 'u-mia', ['system:authenticated']],
  [
    'with a right to that one user and group',
    sue,
    ['Impersonate-User', 'u-mia', 'Impersonate-Group', 'devs'],
    'u-mia',
    ['devs', 'system:authenticated'],
  ],
  [
    'an owner as a service account',
    oli,
    ['Impersonate-User', account],
    account,
    ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
  ],
  ['an admin as nobody', ann, ['Impersonate-User', 'system:anonymous'], 'system:anonymous', ['system:unauthenticated']],
];
const refused: [string, typeof ann, string[], reason?: 'BadRequest'][] = [
  ['a member as somebody else', mia, ['Impersonate-User', 'bob']],
  ['a member as himself with a group he is not in', mia, ['Impersonate-User', 'u-mia', 'Impersonate-Group', 'devs']],
  ['a member as a service account', mia, ['Impersonate-User', account]],
  ['an owner by the verb alone as a service account', kim, ['Impersonate-User', account]],
  ['an owner as another user', oli, ['Impersonate-User', 'bob']],
  ['somebody with a right to another user', sue, ['Impersonate-User', 'u-oli']],
  ['an admin in system:masters', ann, ['Impersonate-User', 'bob', 'Impersonate-Group', 'system:masters']],
  ['an admin as the server’s controllers', ann, ['Impersonate-User', controllerUser]],
  [
    'an admin with extras that only we vouch for',
    ann,
    ['Impersonate-User', 'bob', 'Impersonate-Extra-Requesttokenid', 'x'],
  ],
  [
    'an admin with escaped extras that only we vouch for',
    ann,
    ['Impersonate-User', 'bob', 'Impersonate-Extra-%70rincipalid', 'x'],
  ],
  ['a member with extras', mia, ['Impersonate-User', 'u-mia', 'Impersonate-Extra-Scopes', 'x']],
  ['a malformed service account', ann, ['Impersonate-User', 'system:serviceaccount:ns']],
  ['groups without a user', mia, ['Impersonate-Group', 'devs'], 'BadRequest'],
  ['two users', ann, ['Impersonate-User', 'a', 'Impersonate-User', 'b'], 'BadRequest'],
  ['an empty user', ann, ['Impersonate-User', ''], 'BadRequest'],
  ['a uid', ann, ['Impersonate-User', 'a', 'Impersonate-Uid', 'b'], 'BadRequest'],
];

test('who a request goes out as', async t => {
  await using fixture = await openFixture();
  await seed(fixture);
  const { resolveIdentity } = fixture.auth;
  for (const [name, caller, headers, userId, groups] of granted) {
    await t.test(`granted: ${name}`, () => {
      const identity = resolveIdentity(caller, headers, 'c-a');
      assert.deepEqual([identity.userId, identity.groups], [userId, groups]);
    });
  }
  for (const [name, caller, headers, reason = 'Forbidden'] of refused) {
    await t.test(`refused: ${name}`, () => {
      assert.throws(
        () => resolveIdentity(caller, headers, 'c-a'),
        error => hasReason(error, reason),
      );
    });
  }
  await t.test('an owner is one in his own cluster only', () => {
    assert.throws(
      () => resolveIdentity(oli, ['Impersonate-User', account], 'c-b'),
      error => hasReason(error, 'Forbidden'),
    );
  });
  await t.test('extras of a granted wish are the target’s, not the caller’s', () => {
    const headers = [
      'Impersonate-User',
      'bob',
      'Impersonate-Extra-Example.com%2fteam',
      'a',
      'Impersonate-Extra-Example.com%2fteam',
      'b',
    ];
    assert.deepEqual({ ...resolveIdentity(ann, headers, 'c-a').extra }, { 'example.com/team': ['a', 'b'] });
  });
});
