/** Signing in to a whole server with a stand-in for a GitHub Enterprise host: people, organisations and teams as principals. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServerProcess, startServer } from '../server-process.ts';
import { allow, startLogin, wayTo } from './browser-login.ts';
import { makeCommandLine } from './command-line.ts';
import { type GithubStandIn, startGithubStandIn } from './github-stand-in.ts';
import { Jar } from './jar.ts';
import { adminBrowser, asPage, enable, signInElsewhere, whoIs } from './sign-in.ts';

let server: ServerProcess;
let github: GithubStandIn;
let admin: Jar;
let dir: string;

before(async () => {
  github = await startGithubStandIn();
  dir = await mkdtemp(join(tmpdir(), 'drover-github-'));
  await writeFile(join(dir, 'ca.pem'), github.ca);
  server = await startServer({ env: { NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') } });
  admin = await adminBrowser(server, [github.ca]);
});
after(async () => {
  await admin?.[Symbol.asyncDispose]();
  await github?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const config = () => ({
  hostname: github.host,
  clientId: github.clientId,
  clientSecret: github.clientSecret,
  tls: true,
});

test('a wrong secret is told, and enables nothing', async () => {
  const wrong = { ...config(), clientSecret: 'another' };
  const given = { name: 'github', plural: 'githubconfigs', input: 'githubConfig', config: wrong };
  await assert.rejects(enable(admin, server, given), /401|did not take the code/);
  assert.equal((await asPage(admin, server, { path: '/v3/githubconfigs/github' })).enabled, false);
});

test('people, organisations and teams are principals by their numbers, over all pages', async () => {
  await enable(admin, server, { name: 'github', plural: 'githubconfigs', input: 'githubConfig', config: config() });
  const organisations = [1, 2, 3, 4, 5].map(id => ({ id: 100 + id, login: `org-${id}` }));
  github.user = { id: 7, login: 'ada', name: 'Ada L.' };
  github.organisations = organisations;
  // In one team of the organisation, not in the other.
  github.teams = [{ id: 201, name: 'Core', slug: 'core', organization: organisations[0]! }];
  github.otherTeams = [{ id: 202, name: 'Coreography', slug: 'coreography', organization: organisations[0]! }];
  const { jar } = await signInElsewhere(server, [github.ca], 'github');
  const me = await whoIs(jar, server);
  assert.deepEqual([me.name, me.principalIds[1]], ['Ada L.', 'github_user://7']);
  const { data } = await asPage(jar, server, { path: '/v3/principals' });
  const ids = data
    .map((principal: { id: string }) => principal.id)
    .filter((id: string) => id.startsWith('github_') && !id.includes('user'));
  assert.deepEqual(ids.sort(), [...organisations.map(({ id }) => `github_org://${id}`), 'github_team://201'].sort());

  const found = await asPage(jar, server, {
    method: 'POST',
    path: '/v3/principals?action=search',
    body: { name: 'core' },
  });
  const names = found.data.map(({ id, name }: { id: string; name: string }) => `${id} ${name}`);
  assert.ok(names.includes('github_team://202 org-1/Coreography'), names.join());
  await jar[Symbol.asyncDispose]();
});

test('a command line is signed in over it, by who compares its code and allows it', async () => {
  await using shell = await makeCommandLine();
  await using jar = new Jar([server.ca, github.ca]);
  const waiting = await startLogin(shell, server, ['--provider', 'github']);
  await allow(jar, await jar.follow(await wayTo(jar, waiting.url, 'github')), waiting);
  assert.match(await shell.ok(['whoami']), /Ada L\./);
});

test('who took his consent back loses his sign-in when groups are read again', async () => {
  github.user = { id: 8, login: 'ben' };
  const { jar } = await signInElsewhere(server, [github.ca], 'github');
  const me = await whoIs(jar, server);
  const session = jar.cookie(server.url, 'R_SESS')!;
  github.revoked.add(github.tokens.at(-1)!);
  await server.ask(await server.login(), 'POST', `/v3/users/${me.id}?action=refreshauthprovideraccess`, {}, 200);
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 401);
  await jar[Symbol.asyncDispose]();
});

test('a host that is down is named, and the local way in still works', async () => {
  const token = await server.login();
  await github[Symbol.asyncDispose]();
  const me = await server.ask(token, 'GET', '/v3/users?me=true');
  const refresh = await server.fetch('POST', `/v3/users/${me.data[0].id}?action=refreshauthprovideraccess`, {
    token,
    body: {},
  });
  assert.equal(refresh.status, 503);
  assert.match(refresh.body.message, new RegExp(`"github" can't be reached at ${github.host}`));
  assert.ok(await server.login());
});
