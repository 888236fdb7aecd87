/**
 * The OpenID Connect flow against a real provider: who comes back, with which groups, and everything that must be refused,
 * from another browser's state to tokens that were signed by nobody.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StatusError } from '@drover/base';
import {
  beginOidc,
  finishOidc,
  OidcClients,
  type OidcSettings,
  oidcLogoutUrl,
  oidcSettings,
  refreshOidc,
} from '@drover/server';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Jar } from './jar.ts';
import { type OidcPeer, startOidcPeer } from './oidc-peer.ts';

const redirectUri = 'https://drover.test/verify-auth';
let peer: OidcPeer;
let settings: OidcSettings;
let first: Awaited<ReturnType<typeof makeKey>>;

async function makeKey(kid: string) {
  const pair = await generateKeyPair('RS256', { extractable: true });
  return { ...pair, jwk: { ...(await exportJWK(pair.privateKey)), kid, alg: 'RS256', use: 'sig' } };
}

before(async () => {
  first = await makeKey('first');
  peer = await startOidcPeer({ redirectUris: [redirectUri], keys: [first.jwk] });
  settings = settingsWith({});
});
after(() => peer[Symbol.asyncDispose]());

function settingsWith(more: Record<string, unknown>, name = 'genericoidc'): OidcSettings {
  return oidcSettings(name, {
    issuer: peer.issuer,
    clientId: peer.clientId,
    clientSecret: peer.clientSecret,
    rancherUrl: redirectUri,
    certificate: peer.ca,
    ...more,
  });
}

const newClients = () => new OidcClients({ keysCooldownMs: 0 });

/** Goes to the provider as a browser does, and comes back with what stands in the callback. */
async function comeBack(clients: OidcClients, of = settings) {
  await using jar = new Jar([peer.ca]);
  const { url, pending } = await beginOidc(clients, of, { redirectUri, state: 'a-state-of-this-browser' });
  const end = await jar.follow(url, { stop: next => next.startsWith(redirectUri) });
  return { pending, query: new URL(end.url).searchParams };
}

async function signIn(of = settings, clients = newClients()) {
  return finishOidc(clients, of, await comeBack(clients, of));
}

const refusedWith = (status: number) => (error: unknown) => error instanceof StatusError && error.status === status;

test('who signs in is known by his subject, and his groups come from the claim that is configured', async () => {
  peer.account = {
    sub: 'ada',
    name: 'Ada L.',
    email: 'ada@example.com',
    groups: ['engineers', 'nobody\u0000s', 'engineers'],
  };
  const { user, groups, keep } = await signIn();
  assert.equal(user.id, 'genericoidc_user://ada');
  assert.equal(user.displayName, 'Ada L.');
  assert.equal(user.loginName, 'ada@example.com');
  assert.deepEqual(
    groups.map(group => group.id),
    ['genericoidc_group://engineers'],
  );
  assert.ok(keep?.['idToken'] && keep['refreshToken']);
});

test('groups may stand within another claim', async () => {
  peer.account = { sub: 'ada', realm: { roles: ['one', 'two'] } };
  const { groups } = await signIn(settingsWith({ groupsClaim: 'realm.roles' }));
  assert.deepEqual(
    groups.map(group => group.displayName),
    ['one', 'two'],
  );
});

test('the same groups are read again with the refresh token, without the browser', async () => {
  peer.account = { sub: 'ben', groups: ['before'] };
  const clients = newClients();
  const { keep } = await signIn(settings, clients);
  peer.account = { sub: 'ben', groups: ['after'] };
  const again = await refreshOidc(clients, settings, keep!);
  assert.deepEqual(
    again?.groups.map(group => group.displayName),
    ['after'],
  );
  await assert.rejects(refreshOidc(clients, settings, { ...keep!, refreshToken: 'not one' }), refusedWith(401));
});

test('state, nonce and verifier of another browser are refused', async () => {
  peer.account = { sub: 'ada' };
  const clients = newClients();
  for (const wrong of [
    { state: 'a-state-of-another-browser' },
    { nonce: 'another nonce' },
    { verifier: 'another-verifier-another-verifier-another-verifier' },
  ]) {
    const { query, pending } = await comeBack(clients);
    await assert.rejects(finishOidc(clients, settings, { query, pending: { ...pending, ...wrong } }), refusedWith(401));
  }
});

test('a code is good once', async () => {
  const clients = newClients();
  const came = await comeBack(clients);
  await finishOidc(clients, settings, came);
  await assert.rejects(finishOidc(clients, settings, came), refusedWith(401));
});

test('who says no at the provider is refused in words', async () => {
  peer.account = undefined;
  await assert.rejects(signIn(), refusedWith(403));
});

test('keys that were changed are found at once, and what the provider says of itself is asked for once', async () => {
  peer.account = { sub: 'ada' };
  const clients = newClients();
  await signIn(settings, clients);
  const asked = peer.asked.get('/.well-known/openid-configuration');
  const second = await makeKey('second');
  peer.rotate([second.jwk]);
  assert.equal((await signIn(settings, clients)).user.id, 'genericoidc_user://ada');
  assert.equal(peer.asked.get('/.well-known/openid-configuration'), asked);
  peer.rotate([first.jwk]);
});

test('ID tokens that are forged, of another issuer or audience, over, or signed by nobody are refused', async () => {
  peer.account = { sub: 'ada' };
  const other = await makeKey('first');
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: peer.issuer, aud: peer.clientId, sub: 'ada', iat: now, exp: now + 300 };
  const none = (claims: object) =>
    `${[{ alg: 'none' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const sign = (claims: object, key = first.privateKey) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(key);
  const symmetric = (claims: object) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(peer.clientSecret));
  const cases: [string, (nonce: string) => Promise<string> | string, number | undefined][] = [
    ['as it should be', nonce => sign({ ...good, nonce }), undefined],
    ['40 s of skew', nonce => sign({ ...good, nonce, exp: now - 40 }), undefined],
    ['forged', nonce => sign({ ...good, nonce }, other.privateKey), 401],
    ['another issuer', nonce => sign({ ...good, nonce, iss: 'https://elsewhere.example' }), 401],
    ['another audience', nonce => sign({ ...good, nonce, aud: 'another' }), 401],
    ['over', nonce => sign({ ...good, nonce, exp: now - 70 }), 401],
    ['signed by nobody', nonce => none({ ...good, nonce }), 401],
    ['signed with the client secret', nonce => symmetric({ ...good, nonce }), 401],
    ['no nonce', () => sign(good), 401],
  ];
  for (const [name, make, status] of cases) {
    const clients = newClients();
    const came = await comeBack(clients);
    const idToken = await make(came.pending.nonce);
    peer.between = (request, response) => {
      const { pathname } = new URL(request.url!, peer.issuer);
      if (pathname !== '/token' && pathname !== '/me') return false;
      const body = pathname === '/me' ? { sub: 'ada' } : { access_token: 'a', token_type: 'Bearer', id_token: idToken };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    const done = finishOidc(clients, settings, came);
    if (status === undefined) assert.equal((await done).user.id, 'genericoidc_user://ada', name);
    else await assert.rejects(done, refusedWith(status), name);
    peer.between = undefined;
  }
});

test('userinfo about somebody else is refused', async () => {
  peer.account = { sub: 'ada' };
  peer.between = (request, response) => {
    if (!request.url!.startsWith('/me')) return false;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ sub: 'eve', groups: ['admins'] }));
    return true;
  };
  await assert.rejects(signIn(), refusedWith(401));
  peer.between = undefined;
});

test('signing out leads to where the provider ends its own session', async () => {
  const clients = newClients();
  const url = await oidcLogoutUrl(clients, settings, { idToken: 'hint', returnTo: 'https://drover.test/', state: 's' });
  assert.equal(new URL(url!).pathname, '/session/end');
  assert.equal(new URL(url!).searchParams.get('id_token_hint'), 'hint');
});

test('a provider that is down, has another certificate or calls itself something else is told apart', async () => {
  await assert.rejects(
    newClients().get(settingsWith({ issuer: 'https://localhost:1' })),
    /can't be reached at localhost:1: /,
  );
  await assert.rejects(newClients().get(settingsWith({ certificate: undefined })), /certificate/);
  await assert.rejects(newClients().get(settingsWith({ issuer: `${peer.issuer}/elsewhere` })), refusedWith(422));
});

test('Entra ID: people of one tenant by their object ids, and none with half of his groups', async () => {
  const path = '/contoso.example/v2.0';
  await using tenant = await startOidcPeer({
    redirectUris: [redirectUri],
    keys: [first.jwk],
    path,
    claimsInIdToken: true,
  });
  const fields = {
    endpoint: tenant.issuer.slice(0, -path.length),
    tenantId: 'contoso.example',
    applicationId: tenant.clientId,
    applicationSecret: tenant.clientSecret,
    rancherUrl: redirectUri,
    certificate: tenant.ca,
  };
  const azure = oidcSettings('azuread', fields);
  const enter = async () => {
    const clients = newClients();
    await using jar = new Jar([tenant.ca]);
    const { url, pending } = await beginOidc(clients, azure, { redirectUri, state: 'a-state-of-this-browser' });
    const end = await jar.follow(url, { stop: next => next.startsWith(redirectUri) });
    return finishOidc(clients, azure, { pending, query: new URL(end.url).searchParams });
  };
  const account = { sub: 'pairwise', oid: '0000-1111', name: 'Ada L.', preferred_username: 'ada@contoso.example' };
  tenant.account = { ...account, groups: ['2222-3333'] };
  const { user, groups } = await enter();
  assert.deepEqual([user.id, user.loginName], ['azuread_user://0000-1111', 'ada@contoso.example']);
  assert.deepEqual(
    groups.map(group => group.id),
    ['azuread_group://2222-3333'],
  );
  tenant.account = { ...account, _claim_names: { groups: 'src1' } };
  await assert.rejects(enter(), /too many/);
  for (const tenantId of ['common', 'organizations', '../other', ''])
    assert.throws(() => oidcSettings('azuread', { ...fields, tenantId }), refusedWith(422), tenantId);
});

test('Google: accounts of the one domain alone', async () => {
  const credential = {
    web: { client_id: peer.clientId, client_secret: peer.clientSecret, redirect_uris: [redirectUri] },
  };
  const fields = {
    hostname: 'example.com',
    oauthCredential: JSON.stringify(credential),
    issuer: peer.issuer,
    certificate: peer.ca,
  };
  const google = oidcSettings('googleoauth', fields);
  assert.equal(google.redirectUri, redirectUri);
  peer.account = { sub: '1' };
  await assert.rejects(signIn(google), refusedWith(403));
  assert.throws(() => oidcSettings('googleoauth', { ...fields, oauthCredential: '{}' }), refusedWith(422));
});
