/**
 * Signing a command line in over a browser: by our own and in the way of the original's, whose program waits for a token that
 * is encrypted to its key. Nobody gets one by an address that he was sent.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { exportJWK, generateKeyPair } from 'jose';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type CommandLine, cliMain, makeCommandLine } from './command-line.ts';
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
  await writeFile(join(shell.home, 'ca.pem'), server.ca);
});
after(async () => {
  await admin?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await shell?.[Symbol.asyncDispose]();
});

/** `drover login` with a browser, up to where it waits; `end` is what it ended with. */
async function startLogin(more: readonly string[]) {
  const args = [cliMain, 'login', server.url, '--ca-file', join(shell.home, 'ca.pem'), ...more];
  const env = { PATH: process.env['PATH'], HOME: shell.home, LANG: 'C' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', text => (said += text));
  const end = once(child, 'close').then(([code]) => ({ code: code as number, said }));
  const shown = await until('the code', () => /(https:\S+)[\s\S]*code: (\S+)/.exec(said) ?? undefined, {
    timeoutMs: 60_000,
  });
  return { url: shown[1]!, code: shown[2]!, end };
}

const proofOn = (page: string) => /name="proof" value="([0-9a-f]+)"/.exec(page)?.[1] ?? '';

/** Opens the address as somebody who still has to sign in, and comes back to it. */
async function openPage(url: string) {
  const jar = new Jar([server.ca, peer.ca]);
  const choice = await jar.ask(url);
  const away = /href="(\/v1-auth\/oidc\?[^"]+)"/.exec(choice.text)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(away, choice.text);
  assert.equal(proofOn(choice.text), '', 'nothing can be allowed by nobody');
  const page = await jar.follow(`${server.url}${away}`);
  assert.equal(page.status, 200, page.text);
  return { jar, page };
}

const decide = (jar: Jar, url: string, form: Record<string, string>) => jar.ask(url, { method: 'POST', form });

test('the page shows the code and where it was asked from, and signs the command line in once that is allowed', async () => {
  peer.account = { sub: 'ada', name: 'Ada L.', email: 'ada@example.com' };
  const { url, code, end } = await startLogin(['--browser']);
  const { jar, page } = await openPage(url);
  assert.ok(page.text.includes(code), page.text);
  assert.match(page.text, /127\.0\.0\.1/);
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/);
  const done = await decide(jar, url, { proof: proofOn(page.text), answer: 'allow' });
  assert.equal(done.status, 200, done.text);
  const { code: exit, said } = await end;
  assert.equal(exit, 0, said);
  assert.match(await shell.ok(['whoami']), /Ada L\./);
  // The request is gone, and was good once.
  const again = await decide(jar, url, { proof: proofOn(page.text), answer: 'allow' });
  assert.ok(again.status >= 400, again.text);
  await jar[Symbol.asyncDispose]();
});

test('a provider that people are sent to needs no flag to be used by a browser, and a denial ends the wait', async () => {
  peer.account = { sub: 'ben' };
  const { url, end } = await startLogin(['--provider', 'oidc']);
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
