/**
 * Security keys in a real browser with an authenticator of its own making: added on the account's page, asked for where somebody
 * signs in, and good for this server's own page, once. The command line of such a user goes through the browser.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { until } from '@drover/base';
import { type Browser, type BrowserContext, type CDPSession, type Page, chromium as playwright } from 'playwright-core';
import { buildWeb } from '../../tools/web/build.ts';
import { chromium } from '../browser.ts';
import { type CommandLine, cliMain, makeCommandLine } from '../integration/command-line.ts';
import { startTlsPeer, type TlsPeer } from '../integration/tls-peer.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

const patienceMs = 60_000;
const password = 'vera-password-1234';

/** As Chromium is told to trust it: with an error of its certificate a page has no security keys. */
async function spkiOf(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return hash('sha256', new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' }), 'base64');
}

describe('security keys', { skip: chromium ? false : 'there is no Chromium on this machine' }, () => {
  let server: ServerProcess;
  let elsewhere: TlsPeer;
  let shell: CommandLine;
  let browser: Browser;
  let admin: string;
  let userId: string;
  let origin: string;
  let context: BrowserContext;
  let page: Page;
  let cdp: CDPSession;
  let key: string;
  let recovery: string[];

  before(async () => {
    await buildWeb();
    server = await startServer({ readyTimeoutMs: 60_000 });
    admin = await server.login();
    userId = (await server.makeUser(admin, 'vera')).id;
    elsewhere = await startTlsPeer();
    elsewhere.serve(
      (_, response) => void response.setHeader('content-type', 'text/html').end('<!doctype html><title>x'),
    );
    shell = await makeCommandLine();
    await writeFile(join(shell.home, 'ca.pem'), server.ca);
    origin = `https://localhost:${new URL(server.url).port}`;
    const trusted = await Promise.all([Number(new URL(server.url).port), elsewhere.port].map(spkiOf));
    const args = ['--no-sandbox', `--ignore-certificate-errors-spki-list=${trusted.join(',')}`];
    browser = await playwright.launch({ executablePath: chromium!, args });
    context = await browser.newContext({ baseURL: origin, locale: 'en', reducedMotion: 'reduce' });
    context.setDefaultTimeout(patienceMs);
    page = await context.newPage();
    cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    key = await plugIn();
  });
  after(async () => {
    await browser?.close();
    await shell?.[Symbol.asyncDispose]();
    await elsewhere?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const plugIn = async (): Promise<string> => {
    const options = { protocol: 'ctap2', transport: 'usb', automaticPresenceSimulation: true } as const;
    return (await cdp.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId;
  };
  /** Too many failed tries in a row have to wait, whoever makes them. */
  const patient = (ask: () => ReturnType<ServerProcess['fetch']>) =>
    until(
      'a further try to be allowed',
      async () => {
        const answer = await ask();
        return answer.status === 429 ? undefined : answer;
      },
      { timeoutMs: patienceMs, everyMs: 500 },
    );
  const login = (more: object) =>
    patient(() =>
      server.fetch('POST', '/v3-public/localProviders/local?action=login', {
        // The page's own address: the server goes by what the browser calls it.
        headers: { host: new URL(origin).host },
        body: { username: 'vera', password, responseType: 'json', ...more },
      }),
    );
  const needed = (given: object) =>
    patient(() =>
      server.fetch('POST', '/v1-public/second-factor', {
        headers: { host: new URL(origin).host },
        body: { username: 'vera', password, ...given },
      }),
    );
  const signIn = async (at: Page = page): Promise<void> => {
    // With the right password it takes nothing, and so it shows that there is a try left.
    await needed({});
    await at.getByLabel('User name').fill('vera');
    await at.getByLabel('Password').fill(password);
    await at.getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  const keysOf = async (): Promise<{ id: string; name: string; lastUsed?: string }[]> => {
    const [{ value } = { value: '' }] = (await context.cookies()).filter(({ name }) => name === 'R_SESS');
    return (await server.ask(value, 'GET', '/v1-second-factor')).securityKeys;
  };
  const signOut = () => context.clearCookies();

  test('one is added with the password, under a name, and recovery codes come with the first', async () => {
    await page.goto('/ui/sign-in');
    await signIn();
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('link', { name: 'Second factor' }).click();
    await page.getByRole('button', { name: 'Add a security key' }).click();
    await page.getByLabel(/^Name, such as/).fill('blue');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Continue' }).click();
    const codes = page.getByRole('dialog', { name: 'Keep these recovery codes' });
    recovery = (await codes.locator('pre').innerText()).trim().split('\n');
    assert.equal(recovery.length, 10);
    await codes.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByRole('cell', { name: 'blue', exact: true }).waitFor();
    assert.deepEqual(
      (await keysOf()).map(({ name, lastUsed }) => [name, lastUsed]),
      [['blue', undefined]],
    );
  });

  test('a password alone is told what more is needed, and a wrong one nothing', async () => {
    const alone = await login({});
    assert.deepEqual([alone.status, alone.body.code], [401, 'SecondFactorRequired']);
    const more = await needed({});
    assert.deepEqual([more.status, more.body.needed, more.body.phone], [200, true, false]);
    assert.equal(more.body.securityKey.rpId, 'localhost');
    assert.equal(more.body.securityKey.allowCredentials.length, 1);
    for (const given of [{ password: 'wrong' }, { username: 'nobody' }])
      assert.deepEqual([(await needed(given)).status, (await needed(given)).body.code], [401, 'Unauthorized']);
    const site = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const foreign = await server.fetch('POST', '/v1-public/second-factor', {
      headers: site,
      body: { username: 'vera', password },
    });
    assert.equal(foreign.status, 403);
  });

  test('the key lets in beside the password; what it said is good once, and for the one challenge', async () => {
    await signOut();
    await page.goto('/ui/sign-in');
    const sent: { securityKey?: object }[] = [];
    page.on('request', request => {
      if (request.url().endsWith('action=login')) sent.push(request.postDataJSON());
    });
    await signIn();
    await page.waitForURL(/\/ui\/?$/);
    assert.ok((await keysOf())[0]!.lastUsed);
    const { securityKey } = sent.at(-1)!;
    assert.ok(securityKey);
    const replayed = await login({ securityKey });
    assert.deepEqual([replayed.status, replayed.body.code], [401, 'Unauthorized']);
    // A challenge that is open does not make it good either.
    await needed({});
    assert.equal((await login({ securityKey })).status, 401);
    for (const wrong of [{}, { response: { clientDataJSON: 'AAAA' } }])
      assert.equal((await login({ securityKey: wrong })).status, 401);
    assert.equal((await login({ securityKey: 'text' })).status, 422);
  });

  test('what was signed on another page, for the same key, lets nobody in', async () => {
    const { body } = await needed({});
    const signed = async (at: string) => {
      await page.goto(at);
      return page.evaluate(async options => {
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
        return ((await navigator.credentials.get({ publicKey })) as PublicKeyCredential).toJSON();
      }, body.securityKey);
    };
    const foreign = await signed(elsewhere.url);
    const refused = await login({ securityKey: foreign });
    assert.deepEqual([refused.status, refused.body.code], [401, 'Unauthorized']);
    // On the server's own page the same is good, with a challenge that is open.
    body.securityKey = (await needed({})).body.securityKey;
    const own = await signed(`${origin}/ui/sign-in`);
    // But not for a server that is reached under another name.
    const other = await server.fetch('POST', '/v3-public/localProviders/local?action=login', {
      body: { username: 'vera', password, responseType: 'json', securityKey: own },
    });
    assert.equal(other.status, 401);
    body.securityKey = (await needed({})).body.securityKey;
    assert.equal((await login({ securityKey: await signed(`${origin}/ui/sign-in`) })).status, 201);
  });

  test('a command line without a code goes through the browser', async () => {
    await signOut();
    const who = ['-u', 'vera', '--password-stdin', '--ca-file', join(shell.home, 'ca.pem')];
    const env = { PATH: process.env['PATH'], HOME: shell.home, LANG: 'C' };
    const child = spawn(process.execPath, [cliMain, 'login', origin, ...who], {
      env,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', text => (said += text));
    const ended = once(child, 'close');
    child.stdin.end(`${password}\n`);
    const isOver = ended.then(() => said);
    const code = until('the code', () => /(https:\S+)[\s\S]*code: (\S+)/.exec(said) ?? undefined, {
      timeoutMs: patienceMs,
    });
    const shown = await Promise.race([code, isOver]);
    assert.ok(Array.isArray(shown), `it ended: ${said}`);
    assert.match(said, /security key/);
    await page.goto(shown[1]!);
    await page.getByRole('link', { name: 'Sign in with local' }).click();
    await signIn();
    await page.getByText(shown[2]!).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    const [exit] = await ended;
    assert.equal(exit, 0, said);
    assert.match(await shell.ok(['whoami']), /vera/);
    assert.match(await shell.ok(['second-factor', 'status']), /Security key: blue/);
  });

  test('several keys have names, one is taken off with another, and the password alone takes none', async () => {
    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: key });
    const second = await plugIn();
    await page.goto('/ui/account');
    await page.getByRole('button', { name: 'Add a security key' }).click();
    await page.getByLabel(/^Name, such as/).fill('spare');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Continue' }).click();
    const row = page.getByRole('row', { name: /spare/ });
    await row.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel(/^Name, such as/).fill('grey');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('cell', { name: 'grey', exact: true }).waitFor();
    const [blue] = await keysOf();
    const session = (await context.cookies()).find(({ name }) => name === 'R_SESS')!.value;
    const remove = (body: object) =>
      patient(() =>
        server.fetch('POST', '/v1-second-factor?action=removeKey', { token: session, body: { id: blue!.id, ...body } }),
      );
    assert.equal((await remove({ password })).body.code, 'SecondFactorRequired');
    assert.equal((await remove({ password: 'wrong' })).status, 401);
    assert.equal((await remove({ password, id: 'another' })).status, 404);
    await page.getByRole('button', { name: 'Delete: blue' }).click();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('cell', { name: 'blue', exact: true }).waitFor({ state: 'detached' });
    assert.deepEqual(
      (await keysOf()).map(({ name }) => name),
      ['grey'],
    );
    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: second });
  });

  test('a recovery code stands in once, and who lost all is helped by whoever may act on him', async () => {
    assert.equal((await login({ otp: recovery[0] })).status, 201);
    assert.equal((await login({ otp: recovery[0] })).status, 401);
    const reset = await server.fetch('POST', '/v1-second-factor?action=reset', { token: admin, body: { userId } });
    assert.equal(reset.status, 204);
    assert.equal((await login({})).status, 201);
    assert.equal((await login({ otp: recovery[1] })).status, 201, 'nothing more is asked for');
  });

  test('a server under an address in numbers says that keys need a name', async () => {
    await needed({});
    const token = await server.login('vera', password);
    const answer = await server.fetch('POST', '/v1-second-factor?action=beginKey', { token, body: { password } });
    assert.equal(answer.status, 422);
    assert.match(answer.body.message, /under a name/);
  });
});
