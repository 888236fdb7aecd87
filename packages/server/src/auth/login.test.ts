/** Signing in and out over the real front, as the clients of this API do it. */
import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { test } from 'node:test';
import { silentLog } from '@drover/base';
import { issueCert, makeCa } from '@drover/engine';
import { type AddressOf, behindProxies } from '../http/client-address.ts';
import type { Route } from '../http/exchange.ts';
import { Front } from '../http/front.ts';
import { bindInCluster, type Fixture, openFixture, seedRoles } from './fixture.ts';
import { createUser } from './users.ts';

const password = 'correct horse battery';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

async function serve(fixture: Fixture) {
  const whoami: Route = {
    prefix: '/v3/whoami',
    signIn: 'user',
    errors: 'norman',
    handle: async ({ response }, caller) => void response.end(JSON.stringify(caller)),
  };
  const [ca] = await Promise.all([makeCa('test')]);
  const tls = await issueCert(ca, { commonName: 'test', dnsNames: ['localhost'], usages: ['server'] });
  const { auth } = fixture;
  const front = new Front({
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    routes: [...auth.routes, whoami],
    authenticate: auth.authenticate,
    log: silentLog,
  });
  await front.listen();
  const ask = (path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { port } = front;
      const outgoing = httpsRequest(
        { host: '127.0.0.1', port, path, method, headers, ca: ca.cert, servername: 'localhost', agent: false },
        response => {
          let text = '';
          response.setEncoding('utf8').on('data', chunk => (text += chunk));
          response.on('end', () => {
            const parsed = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
            resolve({ status: response.statusCode!, headers: response.headers, text, body: parsed });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body));
    });
  const login = (body: unknown, more: Ask = {}) =>
    ask('/v3-public/localProviders/local?action=login', { method: 'POST', body, ...more });
  return { ask, login, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() };
}

async function open(options: { readonly addressOf?: AddressOf } = {}) {
  const fixture = await openFixture(options);
  await seedRoles(fixture);
  await createUser(fixture.deps, { id: 'u-bob', username: 'bob', password });
  const server = await serve(fixture);
  return {
    ...server,
    fixture,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

const good = { username: 'bob', password };

test('which providers there are is told to anybody', async () => {
  await using server = await open();
  const local = {
    id: 'local',
    name: 'local',
    type: 'localProvider',
    baseType: 'authProvider',
    links: { self: 'https://drover.test/v3-public/localProviders/local' },
    actions: { login: 'https://drover.test/v3-public/localProviders/local?action=login' },
  };
  const list = await server.ask('/v3-public/authProviders');
  assert.deepEqual([list.status, list.body['type'], list.body['data']], [200, 'collection', [local]]);
  assert.equal(list.headers['x-api-schemas'], 'https://drover.test/v3-public/schemas');
  assert.deepEqual((await server.ask('/v3-public/localproviders/local')).body, local);
  assert.deepEqual((await server.ask('/v1-public/authproviders')).body, { data: [local] });
  for (const path of [
    '/v3-public/localProviders/other',
    '/v3-public/authProviders/github',
    '/v3-public/authTokens/abc',
    '/v1-public/authtokens/abc',
  ])
    assert.equal((await server.ask(path)).status, 404, path);
});

test('a sign-in answers 201 and a token that is good at once', async () => {
  await using server = await open();
  for (const responseType of ['json', '', undefined, 'whatever']) {
    const answer = await server.login({ ...good, responseType, ttl: 1, description: 'from a test' });
    assert.equal(answer.status, 201);
    const { token, id, type, baseType, expiresAt } = answer.body as Record<string, string>;
    assert.deepEqual([type, baseType, token!.split(':')[0]], ['token', 'token', id]);
    const lives = Date.parse(expiresAt!) - Date.now();
    assert.ok(lives > 959 * 60_000 && lives <= 960 * 60_000, 'the settings decide how long it lives, not the client');
    const me = await server.ask('/v3/whoami', { headers: { authorization: `Bearer ${token}` } });
    assert.equal(me.body['userId'], 'u-bob');
  }
  const v1 = await server.ask('/v1-public/login', { method: 'POST', body: { ...good, type: 'localProvider' } });
  assert.equal(v1.status, 201);
  assert.equal((await server.ask('/v1-public/login', { method: 'POST', body: good })).status, 404);
});

test('a sign-in by cookie sets it for this host, out of scripts’ reach, and says nothing else', async () => {
  await using server = await open();
  const answer = await server.login({ ...good, responseType: 'cookie' });
  assert.deepEqual([answer.status, answer.text], [200, '']);
  const [cookie] = answer.headers['set-cookie'] as string[];
  assert.match(cookie!, /^R_SESS=token-[a-z0-9]{5}:[a-z0-9]{54}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const headers = { cookie: cookie!.split(';')[0]! };
  assert.equal((await server.ask('/v3/whoami', { headers })).body['via'], 'cookie');
});

test('a kubeconfig’s token is for the cluster asked for, and given to its members only', async () => {
  await using server = await open();
  const { fixture } = server;
  await fixture.resources.create('cluster', { metadata: { name: 'c-a' }, spec: {} });
  await fixture.resources.create('cluster', { metadata: { name: 'c-b' }, spec: {} });
  await bindInCluster(fixture, 'c-a', 'cluster-member', 'u-bob');
  const answer = await server.login({ ...good, responseType: 'kubeconfig_c-a' });
  assert.equal(answer.status, 201);
  assert.match(String(answer.body['id']), /^kubeconfig-u-bob\.c-a[a-z0-9]{5}$/);
  const token = fixture.caches.token.get(String(answer.body['id']))!;
  assert.deepEqual([token.clusterName, token.ttl], ['c-a', 30 * 24 * 60 * 60_000]);
  assert.equal(
    (await server.ask('/v3/whoami', { headers: { authorization: `Bearer ${answer.body['token']}` } })).status,
    401,
  );
  for (const id of ['c-b', 'c-none', '../c-a']) {
    const refused = await server.login({ ...good, responseType: `kubeconfig_${id}` });
    assert.deepEqual(
      [refused.status, refused.body['code'], refused.body['message']],
      [403, 'PermissionDenied', 'not a member of this cluster'],
    );
  }
});

test('a failed sign-in says the same whatever was wrong, and repeats nothing of what was sent', async () => {
  await using server = await open();
  const expected = {
    type: 'error',
    baseType: 'error',
    status: 401,
    code: 'Unauthorized',
    message: 'authentication failed',
  };
  const canary = '<script>alert(1)</script>';
  for (const body of [{ ...good, password: canary }, { username: canary, password }, {}]) {
    const answer = await server.login(body);
    assert.deepEqual([answer.status, answer.body], [401, expected]);
  }
  const broken: [unknown, number][] = [
    [canary, 422],
    [[canary], 422],
    ['null', 422],
    [{ ...good, username: { canary } }, 422],
    [{ ...good, type: canary, responseType: canary.repeat(100) }, 422],
    [`{"username":"${'a'.repeat(20_000)}"}`, 413],
    [`${'['.repeat(8000)}${']'.repeat(8000)}`, 422],
  ];
  for (const [body, status] of broken) {
    const answer = await server.login(body);
    assert.equal(answer.status, status, answer.text);
    assert.ok(!answer.text.includes('script') && !answer.text.includes('aaaa'), answer.text);
  }
  const unknown = await server.ask(`/v3-public/localProviders/local?action=${encodeURIComponent(canary)}`, {
    method: 'POST',
    body: good,
  });
  assert.equal(unknown.status, 404);
  assert.ok(!unknown.text.includes('script'));
});

test('a disabled user is told so with 403', async () => {
  await using server = await open();
  await server.fixture.resources.modify('user', { name: 'u-bob' }, user => ({ ...user, enabled: false }));
  const answer = await server.login(good);
  assert.deepEqual([answer.status, answer.body['code']], [403, 'PermissionDenied']);
  assert.equal((await server.login({ ...good, password: 'wrong' })).status, 401);
});

test('guessing is answered with 429 and when to come back', async () => {
  await using server = await open();
  const answers: Answer[] = [];
  for (let tries = 0; tries < 12; tries++) answers.push(await server.login({ ...good, password: 'wrong' }));
  assert.deepEqual(
    answers.map(answer => answer.status),
    [...Array<number>(10).fill(401), 429, 429],
  );
  assert.match(String(answers.at(-1)!.headers['retry-after']), /^\d+$/);
});

test('behind a trusted proxy each client has tries of his own, whatever he claims before the proxy adds', async () => {
  await using server = await open({ addressOf: behindProxies(['127.0.0.0/8']) });
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  const tryFrom = async (address: string) => (await server.login({ ...good, password: 'wrong' }, from(address))).status;
  for (let tries = 0; tries < 10; tries++) assert.equal(await tryFrom(`198.51.100.${tries}, 203.0.113.1`), 401);
  assert.equal(await tryFrom('198.51.100.99, 203.0.113.1'), 429);
  assert.equal(await tryFrom('203.0.113.2'), 401);
});

test('a page of another site can not sign anybody in', async () => {
  await using server = await open();
  const answer = await server.login(good, { headers: { 'sec-fetch-site': 'cross-site' } });
  assert.equal(answer.status, 403);
});

test('signing out ends the token, clears the cookies, and works for one that has ended', async () => {
  await using server = await open();
  const first = await server.login(good);
  const second = await server.login(good);
  const bearer = (answer: Answer) => ({ authorization: `Bearer ${answer.body['token']}` });
  const out = await server.ask('/v1/logout', { method: 'POST', headers: bearer(first) });
  assert.deepEqual([out.status, out.text], [200, '']);
  assert.match(String(out.headers['set-cookie']), /R_SESS=; Path=\/; Max-Age=0;.*CSRF=;/);
  assert.equal((await server.ask('/v3/whoami', { headers: bearer(first) })).status, 401);
  assert.equal((await server.ask('/v3/whoami', { headers: bearer(second) })).status, 200);
  server.fixture.move(961 * 60_000);
  assert.equal((await server.ask('/v3/whoami', { headers: bearer(second) })).status, 401);
  assert.equal((await server.ask('/v1/logout', { method: 'POST', headers: bearer(second) })).status, 200);
  assert.equal(server.fixture.caches.token.size, 0);
  assert.equal((await server.ask('/v1/logout', { method: 'POST', headers: bearer(second) })).status, 401);
});

test('a browser signs out only with the value that shows it was its own page', async () => {
  await using server = await open();
  const { body } = await server.login(good);
  const csrf = 'a'.repeat(32);
  const headers = { 'user-agent': 'Mozilla/5.0', cookie: `R_SESS=${body['token']}; CSRF=${csrf}` };
  const without = await server.ask('/v1/logout', { method: 'POST', headers });
  assert.deepEqual([without.status, without.body['code']], [422, 'InvalidCSRFToken']);
  const all = await server.ask('/v1/logout?all', { method: 'POST', headers: { ...headers, 'x-api-csrf': csrf } });
  assert.equal(all.status, 200);
  assert.equal(server.fixture.caches.token.size, 0);
});
