/**
 * Signing in elsewhere in a real browser: whether its cookies go along on the way back, by a link from another site and by a
 * form that another site posts, is for a browser alone to say. The providers are other sites: another host than the server's.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import { type Browser, chromium, startBrowser, type Tab } from '../browser.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import type { Jar } from './jar.ts';
import { type OidcPeer, startOidcPeer } from './oidc-peer.ts';
import { makeSamlPair, readSamlForm, type SamlPeer, startSamlPeer } from './saml-peer.ts';
import { adminBrowser, asPage, enable } from './sign-in.ts';

const skip = chromium ? false : 'there is no Chromium on this machine';
let server: ServerProcess;
let oidc: OidcPeer;
let saml: SamlPeer;
let admin: Jar;
let browser: Browser;

before(async () => {
  if (skip) return;
  server = await startServer();
  assert.match(server.url, /127\.0\.0\.1/);
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const keys = [{ ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' }];
  oidc = await startOidcPeer({ redirectUris: [`${server.url}/verify-auth`], keys });
  const sp = await makeSamlPair('drover');
  saml = await startSamlPeer({ spCert: sp.cert });
  admin = await adminBrowser(server, [oidc.ca, saml.ca]);
  oidc.account = { sub: 'the-admin' };
  const { issuer, clientId, clientSecret, ca: certificate } = oidc;
  const config = { issuer, clientId, clientSecret, certificate, rancherUrl: `${server.url}/verify-auth` };
  await enable(admin, server, { name: 'oidc', plural: 'oidcconfigs', input: 'oidcConfig', config });
  const fields = { uidField: 'uid', userNameField: 'mail', displayNameField: 'cn', groupsField: 'groups' };
  const body = {
    ...fields,
    rancherApiHost: server.url,
    spCert: sp.cert,
    spKey: sp.key,
    idpMetadataContent: saml.metadata,
  };
  await asPage(admin, server, { method: 'PUT', path: '/v3/oktaconfigs/okta', body: { ...body, enabled: true } });
  browser = await startBrowser();
});
after(async () => {
  await browser?.[Symbol.asyncDispose]();
  await admin?.[Symbol.asyncDispose]();
  await oidc?.[Symbol.asyncDispose]();
  await saml?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

/** Leaves the page as by a link on it. */
const leave = (tab: Tab, url: string) => tab.evaluate(`void (location.href = ${JSON.stringify(url)})`);
const isSignedInAs = (name: string) => `document.querySelector('.user')?.textContent === ${JSON.stringify(name)}`;

test('a browser comes back from another site by a link, signed in', { skip }, async () => {
  oidc.account = { sub: 'ada', name: 'Ada L.' };
  const tab = await browser.open();
  await tab.goto(`${server.url}/v3`);
  await leave(tab, '/v1-auth/oidc?returnTo=/v3');
  await tab.sees(isSignedInAs('Ada L.'));
  assert.deepEqual(tab.faults, []);
});

test('a browser comes back from another site by a form that is posted, signed in', { skip }, async () => {
  saml.account = { nameId: 'ben', attributes: { uid: 'ben', mail: 'ben@example.com', cn: 'Ben S.', groups: [] } };
  const tab = await browser.open();
  await tab.goto(`${server.url}/v3`);
  await leave(tab, '/v1-auth/okta?returnTo=/v3');
  await tab.sees(`location.origin === ${JSON.stringify(saml.url)} && document.forms.length === 1`);
  await tab.evaluate('document.forms[0].submit()');
  await tab.sees(isSignedInAs('Ben S.'));
});

test('a form that another browser got from the provider signs nobody in', { skip }, async () => {
  saml.account = { nameId: 'eve', attributes: { uid: 'eve', mail: 'eve@example.com', cn: 'Eve', groups: [] } };
  const page = await admin.follow(`${server.url}/v1-auth/okta`);
  const form = readSamlForm(page.text);
  const tab = await browser.open();
  await tab.goto(`${saml.url}/`);
  await tab.evaluate(`(form => {
    document.body.innerHTML = '<form method="post"><input name="SAMLResponse"><input name="RelayState"></form>';
    const [post] = document.forms;
    post.action = form.action;
    post.elements.SAMLResponse.value = form.SAMLResponse;
    post.elements.RelayState.value = form.RelayState;
    post.submit();
  })(${JSON.stringify(form)})`);
  await tab.sees(`document.querySelector('h1')?.textContent === 'Sign-in failed'`);
  await tab.goto(`${server.url}/v3`);
  await tab.sees(`document.querySelector('#sign-in')`);
});

test('a command line is allowed on its page, in Chinese as well', { skip }, async () => {
  const modulus = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }).n!;
  const n = BigInt(`0x${Buffer.from(modulus, 'base64url').toString('hex')}`);
  const publicKey = Buffer.from(`{"N":${n},"E":65537}`).toString('base64');
  const body = { publicKey, responseType: 'json', host: '<img src=x onerror=alert(1)>' };
  const begun = await server.fetch('POST', '/v3-public/authTokens', { body });
  oidc.account = { sub: 'ada', name: 'Ada L.' };
  const tab = await browser.open({ language: 'zh-CN' });
  await tab.goto(begun.body.url);
  await tab.evaluate(`document.querySelector('a[href^="/v1-auth/oidc"]').click()`);
  await tab.sees(`document.querySelector('code')?.textContent === ${JSON.stringify(begun.body.code)}`);
  assert.match(await tab.evaluate<string>('document.body.textContent'), /允许命令行登录吗/);
  await tab.evaluate(`document.querySelector('button[value=allow]').click()`);
  await tab.sees(`document.querySelector('h1')?.textContent === '已登录'`);
  const { body: picked } = await server.fetch('GET', `/v3-public/authTokens/${begun.body.id}`);
  assert.equal(picked.phase, 'allowed');
  assert.ok(picked.token.length > 100);
  assert.deepEqual(tab.faults, []);
});
