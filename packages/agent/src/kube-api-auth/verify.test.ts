/** Whom the authorized endpoint lets in, and how it answers the kube-apiserver: whatever is not right is nobody's token. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hashKey, silentLog } from '@drover/base';
import { type AuthToken, endpointNamespace, type Records, type UserAttribute } from './records.ts';
import { runKubeApiAuth } from './run.ts';
import { verify } from './verify.ts';
import { startWebhook, type Webhook } from './webhook.ts';

const key = 'bcdfghjklmnpqrstvwxz2456789bcdfghjklmnpqrstvwxz2456789';
const now = Date.parse('2026-01-01T00:00:00Z');
const metadata = (name: string) => ({ name, namespace: endpointNamespace });
const make = (name: string, more: Partial<AuthToken> = {}): AuthToken => ({
  apiVersion: 'cluster.cattle.io/v3',
  kind: 'ClusterAuthToken',
  metadata: metadata(name),
  userName: 'u-1',
  ...more,
});
const user = (name: string, more: Partial<UserAttribute> = {}): UserAttribute => ({
  apiVersion: 'cluster.cattle.io/v3',
  kind: 'ClusterUserAttribute',
  metadata: metadata(name),
  ...more,
});

const tokens = [
  make('good', { expiresAt: '2026-01-01T00:00:01Z', enabled: true }),
  make('forever', { expiresAt: '' }),
  make('over', { expiresAt: '2025-12-31T23:59:59Z' }),
  make('unreadable', { expiresAt: 'tomorrow' }),
  make('off', { enabled: false }),
  make('nobodys', { userName: undefined }),
  make('systems', { userName: 'system:admin' }),
  make('of-one-disabled', { userName: 'u-off' }),
  make('of-one-unknown', { userName: 'u-unknown' }),
  make('without-hash'),
];
const users = [
  user('u-1', { groups: ['github_team://1', 'system:masters'] }),
  user('u-off', { enabled: false }),
  user('system:admin'),
];

let synced = true;
let used: string[] = [];
const hash = hashKey(key);
const records: Records = {
  get isSynced() {
    return synced;
  },
  token: name => tokens.find(one => one.metadata.name === name),
  user: name => users.find(one => one.metadata.name === name),
  hashOf: async token => (token.metadata.name === 'without-hash' ? undefined : hash),
  used: token => void used.push(token.metadata.name),
};

test('a good token is its user’s, with his groups and none of the system’s', async () => {
  used = [];
  const verified = { username: 'u-1', groups: ['github_team://1'] };
  assert.deepEqual(await verify(records, `good:${key}`, now), verified);
  assert.deepEqual(await verify(records, `ext/forever:${key}`, now), verified);
  assert.deepEqual(used, ['good', 'forever']);
});

for (const {
  metadata: { name },
} of tokens.slice(2))
  test(`a token that is ${name} is nobody’s`, async () => {
    used = [];
    assert.equal(await verify(records, `${name}:${key}`, now), undefined);
    assert.deepEqual(used, []);
  });

for (const wrong of [`good:${key}x`, 'good:', 'good', '', `unknown:${key}`, `good:${hash}`, `good:${'x'.repeat(5000)}`])
  test(`"${wrong.slice(0, 30)}" is nobody’s`, async () => {
    assert.equal(await verify(records, wrong, now), undefined);
  });

let webhook: Webhook;
before(async () => {
  webhook = await startWebhook(records, { host: '127.0.0.1', port: 0, log: silentLog });
});
after(() => webhook[Symbol.asyncDispose]());

const ask = (body: unknown, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${webhook.port}/v1/authenticate`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
const review = (token: unknown, kind = 'TokenReview') => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind,
  spec: { token },
});

test('a kube-apiserver is answered with a TokenReview, or with 401 and nothing', async () => {
  const good = await ask(review(`forever:${key}`));
  assert.equal(good.status, 200);
  assert.deepEqual(await good.json(), {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    status: { authenticated: true, user: { username: 'u-1', groups: ['github_team://1'] } },
  });
  const older = await ask({ ...review(`forever:${key}`), apiVersion: 'authentication.k8s.io/v1beta1' });
  assert.equal(((await older.json()) as { apiVersion: string }).apiVersion, 'authentication.k8s.io/v1beta1');
  const bad = await ask(review(`forever:${key}x`));
  assert.deepEqual([bad.status, await bad.text()], [401, '']);
});

test('what is no review of a token is a bad request', async () => {
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    review(''),
    review(7),
    review(`forever:${key}`, 'Pod'),
    {},
    'x'.repeat(70_000),
  ])
    assert.equal((await ask(body)).status, 400);
  assert.equal((await fetch(`http://127.0.0.1:${webhook.port}/v1/authenticate`)).status, 405);
  assert.equal((await fetch(`http://127.0.0.1:${webhook.port}/other`)).status, 404);
});

test('before it knows the tokens it says so, and refuses nobody for good', async () => {
  synced = false;
  try {
    assert.equal((await ask(review(`forever:${key}`))).status, 503);
    assert.equal((await fetch(`http://127.0.0.1:${webhook.port}/healthcheck`)).status, 503);
  } finally {
    synced = true;
  }
  assert.equal((await fetch(`http://127.0.0.1:${webhook.port}/healthcheck`)).status, 200);
});

test('it listens on loopback or not at all', async () => {
  const context = { log: silentLog, signal: AbortSignal.abort(), write: () => undefined };
  for (const listen of ['0.0.0.0:6440', '10.0.0.1:6440', '[::]:6440', '6440', '127.0.0.1:70000'])
    await assert.rejects(runKubeApiAuth(['--listen', listen], context), /--listen/);
  await assert.rejects(runKubeApiAuth(['--what'], context), /kube-api-auth --help/);
});

test('a key that was exchanged under the name of its token is good at once', async () => {
  const old = hashKey('another-key-of-before');
  const current = hashKey(key);
  const exchanged: Records = {
    isSynced: true,
    token: name => tokens.find(({ metadata: { name: one } }) => one === name),
    user: name => users.find(({ metadata: { name: one } }) => one === name),
    hashOf: async (_, { anew = false } = {}) => (anew ? current : old),
    used: () => {},
  };
  assert.equal((await verify(exchanged, `forever:${key}`, now))?.username, 'u-1');
  assert.equal(await verify(exchanged, 'forever:neither-of-both', now), undefined);
});
