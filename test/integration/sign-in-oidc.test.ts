/** Signing in to a whole server with a real OpenID Connect provider: enabled by a test, used by people, and all that must not work. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { exportJWK, generateKeyPair } from 'jose';
import { type ServerProcess, startServer } from '../server-process.ts';
import { Jar } from './jar.ts';
import { type OidcPeer, startOidcPeer } from './oidc-peer.ts';
import { adminBrowser, asPage, enable, signInElsewhere, whoIs } from './sign-in.ts';

let server: ServerProcess;
let peer: OidcPeer;
let admin: Jar;
const path = '/v3/genericoidcconfigs/genericoidc';

before(async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  server = await startServer();
  const rsa = await generateKeyPair('RS256', { extractable: true });
  const rsaKey = { ...(await exportJWK(rsa.privateKey)), kid: 'two', alg: 'RS256', use: 'sig' };
  peer = await startOidcPeer({
    redirectUris: [`${server.url}/verify-auth`],
    postLogoutUris: [`${server.url}/`],
    keys: [rsaKey, key],
  });
  admin = await adminBrowser(server, [peer.ca]);
});
after(async () => {
  await admin?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const config = () => ({
  issuer: peer.issuer,
  clientId: peer.clientId,
  clientSecret: peer.clientSecret,
  rancherUrl: `${server.url}/verify-auth`,
  certificate: peer.ca,
  accessMode: 'unrestricted',
});

async function enableIt(): Promise<void> {
  peer.account = { sub: 'the-admin', name: 'Admin Elsewhere' };
  await enable(admin, server, {
    name: 'genericoidc',
    plural: 'genericoidcconfigs',
    input: 'oidcConfig',
    config: config(),
  });
}

test('it is not there before it is enabled, and what is wrong with its configuration is told', async () => {
  assert.equal((await server.fetch('GET', '/v1-auth/genericoidc')).status, 404);
  assert.equal((await server.fetch('GET', '/v3-public/genericOIDCProviders/genericoidc')).status, 404);
  const { data } = await asPage(admin, server, { path: '/v3/authConfigs' });
  const one = data.find((each: { id: string }) => each.id === 'genericoidc');
  assert.deepEqual([one.type, one.baseType, one.enabled], ['genericOIDCConfig', 'authConfig', false]);
  const missing = await asPage(admin, server, {
    method: 'POST',
    path: `${path}?action=configureTest`,
    body: { ...config(), issuer: 'http://plain.example' },
    status: 422,
  });
  assert.equal(missing.fieldName, 'issuer');
  const away = {
    method: 'PUT' as const,
    path,
    body: { ...config(), issuer: 'https://localhost:1', enabled: true },
    status: 503,
  };
  assert.match((await asPage(admin, server, away)).message, /can't be reached at localhost:1/);
});

test('an admin tests it, and it is on with his principal as another of his own', async () => {
  await enableIt();
  const me = await whoIs(admin, server);
  assert.ok(me.principalIds.includes('genericoidc_user://the-admin'));
  const shown = await asPage(admin, server, { path });
  assert.equal(shown.enabled, true);
  assert.equal(shown.clientSecret, undefined);
  const { body } = await server.fetch('GET', '/v3-public/authProviders');
  const provider = body.data.find((each: { id: string }) => each.id === 'genericoidc');
  assert.deepEqual([provider.type, provider.redirectUrl], ['genericOIDCProvider', `${server.url}/v1-auth/genericoidc`]);
});

test('somebody signs in and is somebody here, with the rights of his groups', async () => {
  peer.account = { sub: 'ada', name: 'Ada L.', email: 'ada@example.com', groups: ['ops'] };
  const { jar, end } = await signInElsewhere(server, [peer.ca], 'genericoidc');
  assert.equal(end.status, 200, end.text);
  assert.equal(new URL(end.url).pathname, '/v3/users');
  const me = await whoIs(jar, server);
  assert.deepEqual(me.principalIds, [`local://${me.id}`, 'genericoidc_user://ada']);
  assert.equal(me.name, 'Ada L.');
  assert.deepEqual(
    jar.names(server.url).filter(name => name.includes('R_LOGIN')),
    [],
  );
  await asPage(jar, server, { path: '/v3/authConfigs/genericoidc', status: 404 });
  const token = await server.login();
  await server.ask(token, 'POST', '/v3/globalRoleBindings', {
    globalRoleId: 'admin',
    groupPrincipalId: 'genericoidc_group://ops',
  });
  await until(
    'the group to count',
    async () => {
      const answer = await jar.ask(`${server.url}/v3/authConfigs/genericoidc`);
      return answer.status === 200 || undefined;
    },
    { timeoutMs: 30_000 },
  );
  const found = await asPage(jar, server, {
    method: 'POST',
    path: '/v3/principals?action=search',
    body: { name: 'op' },
  });
  const ids = found.data.map((principal: { id: string }) => principal.id);
  assert.ok(ids.includes('genericoidc_group://ops'), 'known groups are found by a piece of their names');
  assert.ok(ids.includes('genericoidc_user://op'), 'and what is typed may be bound before anybody came');
  // He leaves the group there: an admin asks, and it holds here, without him.
  peer.account = { sub: 'ada', name: 'Ada L.', groups: [] };
  await server.ask(token, 'POST', `/v3/users/${me.id}?action=refreshauthprovideraccess`, {}, 200);
  await until(
    'the group to be gone',
    async () => {
      const answer = await jar.ask(`${server.url}/v3/authConfigs/genericoidc`);
      return answer.status === 404 || undefined;
    },
    { timeoutMs: 30_000 },
  );
  // He is back in it: everybody's groups are read again, by themselves.
  peer.account = { sub: 'ada', name: 'Ada L.', groups: ['ops'] };
  await server.ask(token, 'POST', '/v3/users?action=refreshauthprovideraccess', {}, 200);
  await until(
    'the group to be back',
    async () => {
      const answer = await jar.ask(`${server.url}/v3/authConfigs/genericoidc`);
      return answer.status === 200 || undefined;
    },
    { timeoutMs: 30_000 },
  );
  await jar[Symbol.asyncDispose]();
});

test('the same person is the same user the next time', async () => {
  peer.account = { sub: 'ben' };
  const first = await signInElsewhere(server, [peer.ca], 'genericoidc');
  const second = await signInElsewhere(server, [peer.ca], 'genericoidc');
  assert.equal((await whoIs(first.jar, server)).id, (await whoIs(second.jar, server)).id);
  await first.jar[Symbol.asyncDispose]();
  await second.jar[Symbol.asyncDispose]();
});

test('a sign-in that another browser began signs nobody in', async () => {
  peer.account = { sub: 'eve' };
  await using eve = new Jar([server.ca, peer.ca]);
  const stop = (url: string) => url.startsWith(`${server.url}/verify-auth`);
  const { url } = await eve.follow(`${server.url}/v1-auth/genericoidc`, { stop });
  await using victim = new Jar([server.ca, peer.ca]);
  // With a sign-in of his own under way, too.
  await victim.ask(`${server.url}/v1-auth/genericoidc`);
  const answer = await victim.ask(url);
  assert.equal(answer.status, 401);
  assert.match(answer.text, /did not begin this sign-in/);
  assert.match(answer.text, /<!doctype html>/);
  assert.equal(victim.cookie(server.url, 'R_SESS'), undefined);
  // It is still good for who began it, once.
  assert.equal((await eve.ask(url)).status, 303);
  assert.equal((await eve.ask(url)).status, 401);
});

test('a sign-in leads to this server alone, wherever it was asked to lead', async () => {
  peer.account = { sub: 'ada' };
  for (const returnTo of [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
  ]) {
    await using jar = new Jar([server.ca, peer.ca]);
    const stop = (url: string) => url.startsWith(`${server.url}/verify-auth`);
    const back = await jar.follow(`${server.url}/v1-auth/genericoidc?returnTo=${encodeURIComponent(returnTo)}`, {
      stop,
    });
    const answer = await jar.ask(back.url);
    assert.deepEqual([answer.status, answer.headers['location']], [303, '/'], returnTo);
  }
});

test('who is not among those let in is refused, and is no user here', async () => {
  const token = await server.login();
  const set = (accessMode: string, allowedPrincipalIds: string[] = []) =>
    server.ask(token, 'PUT', path, { accessMode, allowedPrincipalIds }, 200);
  await set('required', ['genericoidc_group://staff']);
  peer.account = { sub: 'carl', groups: ['visitors'] };
  const refused = await signInElsewhere(server, [peer.ca], 'genericoidc');
  assert.equal(refused.end.status, 403, refused.end.text);
  assert.equal(refused.jar.cookie(server.url, 'R_SESS'), undefined);
  peer.account = { sub: 'carl', groups: ['staff'] };
  const let1 = await signInElsewhere(server, [peer.ca], 'genericoidc');
  assert.equal(let1.end.status, 200);
  await set('restricted');
  peer.account = { sub: 'dora' };
  assert.equal((await signInElsewhere(server, [peer.ca], 'genericoidc')).end.status, 403);
  await set('unrestricted');
  await refused.jar[Symbol.asyncDispose]();
  await let1.jar[Symbol.asyncDispose]();
});

test('a code alone, without the browser that began, gets no token', async () => {
  const login = '/v3-public/genericOIDCProviders/genericoidc?action=login';
  const body = { code: 'a-code', state: 'a-state-that-nobody-began', responseType: 'json' };
  assert.equal((await server.fetch('POST', login, { body })).status, 401);
  // With it, a program gets a token as from any provider.
  peer.account = { sub: 'ada' };
  await using jar = new Jar([server.ca, peer.ca]);
  const begun = await jar.ask(`${server.url}${login}`, { method: 'POST', json: {} });
  const { idpRedirectUrl } = JSON.parse(begun.text);
  const stop = (url: string) => url.startsWith(`${server.url}/verify-auth`);
  const { searchParams } = new URL((await jar.follow(idpRedirectUrl, { stop })).url);
  const json = { ...Object.fromEntries(searchParams), responseType: 'json' };
  const answer = await jar.ask(`${server.url}${login}`, { method: 'POST', json });
  assert.equal(answer.status, 201, answer.text);
  assert.match(JSON.parse(answer.text).token, /^token-\w+:\w+$/);
});

test('signing out ends the session here and leads to the provider to end it there', async () => {
  peer.account = { sub: 'ada' };
  const { jar } = await signInElsewhere(server, [peer.ca], 'genericoidc');
  const elsewhere = { headers: { 'sec-fetch-site': 'cross-site' } };
  assert.equal((await jar.ask(`${server.url}/v1-auth/genericoidc/logout`, elsewhere)).status, 403);
  const session = jar.cookie(server.url, 'R_SESS')!;
  const answer = await jar.ask(`${server.url}/v1-auth/genericoidc/logout`);
  assert.equal(answer.status, 303, answer.text);
  const to = new URL(String(answer.headers['location']));
  assert.equal(to.origin, peer.issuer);
  assert.equal(to.searchParams.get('post_logout_redirect_uri'), `${server.url}/`);
  assert.ok(to.searchParams.get('id_token_hint'));
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 401);
  await jar[Symbol.asyncDispose]();
});

test('once it is disabled, what was signed in by it is over at once, and other ways in still work', async () => {
  peer.account = { sub: 'ada' };
  const { jar } = await signInElsewhere(server, [peer.ca], 'genericoidc');
  const session = jar.cookie(server.url, 'R_SESS')!;
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 200);
  const token = await server.login();
  await server.ask(token, 'POST', `${path}?action=disable`, {}, 200);
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 401);
  assert.equal((await server.fetch('GET', '/v1-auth/genericoidc')).status, 404);
  await server.login();
  await enableIt();
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 401);
  await jar[Symbol.asyncDispose]();
});

test('every session of one who came from elsewhere ends with one action, which says where the provider ends its own', async () => {
  peer.account = { sub: 'ada' };
  const [one, other] = [
    await signInElsewhere(server, [peer.ca], 'genericoidc'),
    await signInElsewhere(server, [peer.ca], 'genericoidc'),
  ];
  const session = other.jar.cookie(server.url, 'R_SESS')!;
  await one.jar.ask(`${server.url}/v3`);
  const body = { finalRedirectUrl: 'https://evil.example/' };
  const answer = await asPage(one.jar, server, { method: 'POST', path: '/v3/tokens?action=logoutAll', body });
  const to = new URL(answer.idpRedirectUrl);
  assert.deepEqual([to.origin, to.searchParams.get('post_logout_redirect_uri')], [peer.issuer, `${server.url}/`]);
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 401);
  await one.jar[Symbol.asyncDispose]();
  await other.jar[Symbol.asyncDispose]();
});

test('no secret of the provider is in the log or lies open in the data', async () => {
  assert.doesNotMatch(server.output, new RegExp(peer.clientSecret));
  const names = (await readdir(server.dataDir)).filter(name => name.startsWith('drover.db'));
  assert.ok(names.length > 0);
  for (const name of names)
    assert.ok(!(await readFile(join(server.dataDir, name))).includes(peer.clientSecret), `${name} shows it`);
});
