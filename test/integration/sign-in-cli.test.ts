/**
 * Signing a command line in over a browser: by our own and in the way of the original's, whose program waits for a token that
 * is encrypted to its key. Nobody gets one by an address that he was sent.
 */
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import { type ServerProcess, startServer } from '../server-process.ts';
import { allow, proofOn, startLogin, wayTo } from './browser-login.ts';
import { type CommandLine, makeCommandLine } from './command-line.ts';
import { Jar } from './jar.ts';
import { type OidcPeer, startOidcPeer } from './oidc-peer.ts';
import { adminBrowser, enable } from './sign-in.ts';

let server: ServerProcess;
let peer: OidcPeer;
let admin: Jar;
let shell: CommandLine;

before(async () => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  shell = await makeCommandLine();
  server = await startServer();
  const keys = [{ ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' }];
  peer = await startOidcPeer({ redirectUris: [`${server.url}/verify-auth`], keys });
  admin = await adminBrowser(server, [peer.ca]);
  peer.account = { sub: 'the-admin' };
  const config = {
    issuer: peer.issuer,
    clientId: peer.clientId,
    clientSecret: peer.clientSecret,
    rancherUrl: `${server.url}/verify-auth`,
    certificate: peer.ca,
  };
  await enable(admin, server, { name: 'oidc', plural: 'oidcconfigs', input: 'oidcConfig', config });
});
after(async () => {
  await admin?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await shell?.[Symbol.asyncDispose]();
});

/** Opens the address as somebody who still has to sign in, and comes back to it. */
async function openPage(url: string) {
  const jar = new Jar([server.ca, peer.ca]);
  const page = await jar.follow(await wayTo(jar, url, 'oidc'));
  assert.equal(page.status, 200, page.text);
  return { jar, page };
}

const decide = (jar: Jar, url: string, form: Record<string, string>) => jar.ask(url, { method: 'POST', form });

test('the page shows the code and where it was asked from, and signs the command line in once that is allowed', async () => {
  peer.account = { sub: 'ada', name: 'Ada L.', email: 'ada@example.com' };
  const waiting = await startLogin(shell, server, ['--browser']);
  const { url } = waiting;
  const { jar, page } = await openPage(url);
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/);
  await allow(jar, page, waiting);
  assert.match(await shell.ok(['whoami']), /Ada L\./);
  // The request is gone, and was good once.
  const again = await decide(jar, url, { proof: proofOn(page.text), answer: 'allow' });
  assert.ok(again.status >= 400, again.text);
  await jar[Symbol.asyncDispose]();
});

test('a provider that people are sent to needs no flag to be used by a browser, and a denial ends the wait', async () => {
  peer.account = { sub: 'ben' };
  const { url, end } = await startLogin(shell, server, ['--provider', 'oidc']);
  const { jar, page } = await openPage(url);
  assert.equal((await decide(jar, url, { proof: proofOn(page.text), answer: 'deny' })).status, 200);
  const { code, said } = await end;
  assert.equal(code, 1);
  assert.match(said, /denied in the browser/);
  await jar[Symbol.asyncDispose]();
  const unknown = await shell.run([
    'login',
    server.url,
    '--ca-file',
    join(shell.home, 'ca.pem'),
    '--provider',
    'nonsense',
  ]);
  assert.match(unknown.stderr, /must be one of local, oidc/);
});

test('nothing is allowed by a form of another session, or of none', async () => {
  const publicKey = goKey().publicKey;
  const begun = await server.fetch('POST', '/v3-public/authTokens', { body: { publicKey, responseType: 'json' } });
  assert.equal(begun.status, 201);
  const { url, id } = begun.body;
  peer.account = { sub: 'eve' };
  const eve = await openPage(url);
  peer.account = { sub: 'ada' };
  const ada = await openPage(url);
  const proof = proofOn(eve.page.text);
  assert.equal((await decide(ada.jar, url, { proof, answer: 'allow' })).status, 403);
  assert.equal((await decide(ada.jar, url, { proof: '', answer: 'allow' })).status, 403);
  const bearer = await server.fetch('POST', new URL(url).pathname + new URL(url).search, {
    token: await server.login(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.doesNotMatch(String(bearer.body), /name="proof"/);
  const derived = await server.ask(await server.login(), 'POST', '/v3/tokens', { description: 'for a script' });
  const shown = await server.fetch('GET', new URL(url).pathname + new URL(url).search, {
    headers: { cookie: `R_SESS=${derived.token}` },
  });
  assert.equal(proofOn(String(shown.body)), '', 'a derived token signs nothing in');
  const { body } = await server.fetch('GET', `/v3-public/authTokens/${id}`);
  assert.deepEqual([body.token, body.phase], ['', 'waiting']);
  assert.equal((await server.fetch('DELETE', `/v3-public/authTokens/${id}`)).status, 204);
  await eve.jar[Symbol.asyncDispose]();
  await ada.jar[Symbol.asyncDispose]();
});

function goKey() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const n = BigInt(`0x${Buffer.from(publicKey.export({ format: 'jwk' }).n!, 'base64url').toString('hex')}`);
  return { privateKey, publicKey: Buffer.from(`{"N":${n},"E":65537}`).toString('base64') };
}

test("the original's command line puts its key into the address, and picks its token up", async () => {
  const { privateKey, publicKey } = goKey();
  const id = 'abcdfghjklmnpqrstvwxz24567891234';
  const poll = () => server.fetch('GET', `/v3-public/authTokens/${id}`);
  assert.equal((await poll()).status, 404);
  const url = `${server.url}/dashboard/auth/login?requestId=${id}&publicKey=${publicKey}&responseType=kubeconfig`;
  peer.account = { sub: 'ada' };
  const { jar, page } = await openPage(url);
  assert.ok(page.text.includes(id));
  assert.equal((await poll()).status, 404, 'nothing is kept before it is allowed');
  const page2 = await jar.ask(url);
  assert.equal((await decide(jar, url, { proof: proofOn(page2.text), answer: 'allow' })).status, 200);
  const { body } = await poll();
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const token = privateDecrypt({ key: privateKey, padding, oaepHash: 'sha256' }, Buffer.from(body.token, 'base64'));
  assert.match(token.toString(), /^kubeconfig-u-\w+:\w+$/);
  assert.ok(Date.parse(body.expiresAt) > Date.now());
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: token.toString() })).status, 200);
  assert.equal((await server.fetch('DELETE', `/v3-public/authTokens/${id}`)).status, 204);
  assert.equal((await poll()).status, 404);
  await jar[Symbol.asyncDispose]();
});

test('requests that can not be one are refused with their field', async () => {
  const { publicKey } = goKey();
  const cases: [Record<string, unknown>, string][] = [
    [{ publicKey: 'AAAA' }, 'publicKey'],
    [{ publicKey: Buffer.from('{"N":15,"E":65537}').toString('base64') }, 'publicKey'],
    [{ publicKey, responseType: 'cookie' }, 'responseType'],
    [{ publicKey, responseType: 'kubeconfig_../x' }, 'responseType'],
    [{ publicKey, host: 7 }, 'host'],
  ];
  for (const [body, field] of cases) {
    const answer = await server.fetch('POST', '/v3-public/authTokens', { body });
    assert.deepEqual([answer.status, answer.body.fieldName], [422, field], JSON.stringify(body));
  }
  // One that waits for a cluster which is not there is for nobody.
  peer.account = { sub: 'ada' };
  const { body } = await server.fetch('POST', '/v3-public/authTokens', {
    body: { publicKey, responseType: 'kubeconfig_c-none1' },
  });
  const { jar, page } = await openPage(body.url);
  assert.equal((await decide(jar, body.url, { proof: proofOn(page.text), answer: 'allow' })).status, 403);
  await jar[Symbol.asyncDispose]();
});
