/** Signing in to a whole server with a real SAML provider, its answers posted by a browser; what is replayed or planted is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServerProcess, startServer } from '../server-process.ts';
import { allow, startLogin, wayTo } from './browser-login.ts';
import { makeCommandLine } from './command-line.ts';
import { Jar } from './jar.ts';
import { makeSamlPair, readSamlForm, type SamlPeer, startSamlPeer } from './saml-peer.ts';
import { adminBrowser, asPage, whoIs } from './sign-in.ts';

let server: ServerProcess;
let peer: SamlPeer;
let admin: Jar;

before(async () => {
  const sp = await makeSamlPair('drover');
  server = await startServer();
  peer = await startSamlPeer({ spCert: sp.cert });
  admin = await adminBrowser(server, [peer.ca]);
  const body = {
    rancherApiHost: server.url,
    spCert: sp.cert,
    spKey: sp.key,
    idpMetadataContent: peer.metadata,
    uidField: 'uid',
    userNameField: 'mail',
    displayNameField: 'cn',
    groupsField: 'groups',
  };
  await asPage(admin, server, { method: 'PUT', path: '/v3/keycloakconfigs/keycloak', body });
});
after(async () => {
  await admin?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const account = (uid: string, groups: string[] = []) => ({
  nameId: `${uid}@example.com`,
  attributes: { uid, mail: `${uid}@example.com`, cn: uid.toUpperCase(), groups },
});

/** The browser goes to the provider and comes back with its form, which it has yet to post. */
async function formFor(jar: Jar, url: string) {
  const page = await jar.follow(url);
  return readSamlForm(page.text);
}

const post = (jar: Jar, { action, SAMLResponse, RelayState }: ReturnType<typeof readSamlForm>) =>
  jar.ask(action, { method: 'POST', form: { SAMLResponse, RelayState } }, true);

const begin = `/v1-auth/keycloak?returnTo=${encodeURIComponent('/v3/users?me=true')}`;

test('what the provider has to know of us is there, before it is enabled', async () => {
  const answer = await server.fetch('GET', '/v1-saml/keycloak/saml/metadata');
  assert.equal(answer.status, 200);
  assert.match(String(answer.body), new RegExp(`${server.url}/v1-saml/keycloak/saml/acs`));
  assert.doesNotMatch(String(answer.body), /PRIVATE/);
  for (const path of ['/v1-saml/okta/saml/metadata', '/v1-saml/keycloak/saml', '/v1-saml/nonsense/saml/acs', begin])
    assert.equal((await server.fetch('GET', path)).status, 404, path);
});

test('an admin signs in with it, and it is on', async () => {
  peer.account = account('the-admin');
  const input = { finalRedirectUrl: `${server.url}/v3/authConfigs/keycloak` };
  const path = '/v3/keycloakconfigs/keycloak?action=testAndEnable';
  const { idpRedirectUrl } = await asPage(admin, server, { method: 'POST', path, body: input });
  const answer = await post(admin, await formFor(admin, idpRedirectUrl));
  assert.deepEqual([answer.status, answer.headers['location']], [303, '/v3/authConfigs/keycloak'], answer.text);
  assert.equal((await asPage(admin, server, { path: '/v3/authConfigs/keycloak' })).enabled, true);
  assert.ok((await whoIs(admin, server)).principalIds.includes('keycloak_user://the-admin'));
});

test('somebody signs in, with his groups; the same answer signs nobody in again', async () => {
  peer.account = account('ada', ['ops']);
  await using jar = new Jar([server.ca, peer.ca]);
  const begun = `${server.url}${begin}`;
  const form = await formFor(jar, begun);
  const state = jar.names(server.url).find(name => name.includes('R_LOGIN'))!;
  const sealed = jar.cookie(server.url, state)!;
  const answer = await post(jar, form);
  assert.deepEqual([answer.status, answer.headers['location']], [303, '/v3/users?me=true'], answer.text);
  const me = await whoIs(jar, server);
  assert.deepEqual([me.name, me.principalIds[1]], ['ADA', 'keycloak_user://ada']);
  // By this browser, whose cookie is used up; by another; and by one that kept the cookie all the same.
  await using other = new Jar([server.ca, peer.ca]);
  for (const [browser, headers] of [
    [jar, {}],
    [other, {}],
    [other, { cookie: `${state}=${sealed}` }],
  ] as const) {
    const fields = { SAMLResponse: form.SAMLResponse, RelayState: form.RelayState };
    const again = await browser.ask(form.action, { method: 'POST', form: fields, headers: { ...headers } });
    assert.equal(again.status, 401, again.text);
  }
  assert.equal(other.cookie(server.url, 'R_SESS'), undefined);
});

test('a command line is signed in over it, by who compares its code and allows it', async () => {
  peer.account = account('cleo');
  await using shell = await makeCommandLine();
  await using jar = new Jar([server.ca, peer.ca]);
  const waiting = await startLogin(shell, server, ['--provider', 'keycloak']);
  const back = await post(jar, await formFor(jar, await wayTo(jar, waiting.url, 'keycloak')));
  assert.equal(back.status, 303, back.text);
  await allow(jar, await jar.follow(new URL(String(back.headers['location']), server.url).href), waiting);
  assert.match(await shell.ok(['whoami']), /CLEO/);
});

test('an answer that nobody here asked for, or for another provider, is refused', async () => {
  peer.account = account('eve');
  await using eve = new Jar([server.ca, peer.ca]);
  const form = await formFor(eve, `${server.url}${begin}`);
  await using victim = new Jar([server.ca, peer.ca]);
  await victim.ask(`${server.url}${begin}`);
  assert.equal((await post(victim, form)).status, 401);
  assert.equal((await post(eve, { ...form, action: form.action.replace('keycloak', 'okta') })).status, 404);
  assert.equal((await post(eve, { ...form, RelayState: '' })).status, 401);
  const plain = await eve.ask(form.action, { method: 'POST', json: {} });
  assert.equal(plain.status, 400);
});

test('programs are sent away by the login action, as with any SAML provider', async () => {
  const body = { responseType: 'cookie', finalRedirectUrl: `${server.url}/v3` };
  const answer = await server.fetch('POST', '/v3-public/keyCloakProviders/keycloak?action=login', { body });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.type, 'samlLoginOutput');
  assert.ok(answer.body.idpRedirectUrl.startsWith(peer.url));
  assert.match(String(answer.headers['set-cookie']), /SameSite=None/);
});

test('the provider may demand that somebody is signed out, if it is the provider, and of him alone', async () => {
  peer.account = account('ada');
  await using jar = new Jar([server.ca, peer.ca]);
  assert.equal((await post(jar, await formFor(jar, `${server.url}${begin}`))).status, 303);
  const session = jar.cookie(server.url, 'R_SESS')!;
  const isSignedIn = async () => (await server.fetch('GET', '/v3/users?me=true', { token: session })).status === 200;
  const slo = `${server.url}/v1-saml/keycloak/saml/slo`;
  assert.equal((await jar.ask(peer.logoutUrl(slo, 'ada@example.com', true))).status, 401);
  assert.equal((await jar.ask(peer.logoutUrl(slo, 'ada@example.com').replace(/&Signature=.*$/, ''))).status, 401);
  assert.equal((await jar.ask(peer.logoutUrl(slo, 'ben@example.com'))).status, 303);
  assert.ok(await isSignedIn());
  const answer = await jar.ask(peer.logoutUrl(slo, 'ada@example.com'));
  assert.equal(answer.status, 303, answer.text);
  assert.match(String(answer.headers['location']), /SAMLResponse=.*Signature=/);
  assert.ok(!(await isSignedIn()));
});
