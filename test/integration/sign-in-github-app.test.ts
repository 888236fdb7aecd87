/** Signing in to a whole server with a GitHub App of a stand-in for a GitHub Enterprise host: it proves itself, and gives no more groups than somebody is in. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type GithubStandIn, startGithubStandIn } from './github-stand-in.ts';
import type { Jar } from './jar.ts';
import { adminBrowser, asPage, enable, signInElsewhere, whoIs } from './sign-in.ts';

let server: ServerProcess;
let github: GithubStandIn;
let admin: Jar;
let dir: string;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const [ours, others] = [
  { id: 101, login: 'ours' },
  { id: 102, login: 'others' },
];

before(async () => {
  github = await startGithubStandIn();
  // Tokens that have ended already: each question takes a new one.
  github.app = { id: 77, publicKey, installations: new Map([['5', ours]]), tokenSeconds: 1 };
  dir = await mkdtemp(join(tmpdir(), 'drover-github-app-'));
  await writeFile(join(dir, 'ca.pem'), github.ca);
  server = await startServer({ env: { NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') }, readyTimeoutMs: 60_000 });
  admin = await adminBrowser(server, [github.ca]);
});
after(async () => {
  await admin?.[Symbol.asyncDispose]();
  await github?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const config = (more: Record<string, unknown> = {}) => ({
  hostname: github.host,
  clientId: github.clientId,
  clientSecret: github.clientSecret,
  appId: '77',
  privateKey: pem,
  installationId: '5',
  tls: true,
  ...more,
});
const turnOn = (more: Record<string, unknown> = {}) =>
  enable(admin, server, { name: 'githubapp', plural: 'githubappconfigs', input: 'githubConfig', config: config(more) });

test('what does not belong together is named, and switches nothing on', async () => {
  const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ appId: 'seventy' }, /"fieldName":"appId"/],
    [{ privateKey: 'no key' }, /"fieldName":"privateKey"/],
    [
      { privateKey: another.export({ type: 'pkcs8', format: 'pem' }).toString() },
      /not the key of the app.*"fieldName":"privateKey"/,
    ],
    [{ appId: '78' }, /"fieldName":"privateKey"/],
    [{ installationId: '6' }, /"fieldName":"installationId"/],
  ];
  for (const [more, message] of wrong) await assert.rejects(turnOn(more), message);
  assert.equal((await asPage(admin, server, { path: '/v3/githubappconfigs/githubapp' })).enabled, false);
});

test('people come with the groups that they are in themselves, of the one organisation, for as long as GitHub says so', async () => {
  await turnOn();
  const shown = await asPage(admin, server, { path: '/v3/githubappconfigs/githubapp' });
  assert.deepEqual([shown.enabled, shown.appId], [true, '77']);
  assert.ok(!JSON.stringify(shown).includes('PRIVATE KEY'));
  github.user = { id: 7, login: 'ada', name: 'Ada L.' };
  github.organisations = [ours!, others!];
  github.teams = [
    { id: 201, name: 'Core', slug: 'core', organization: ours! },
    { id: 203, name: 'Foreign', slug: 'foreign', organization: others! },
  ];
  github.otherTeams = [{ id: 202, name: 'Admins', slug: 'admins', organization: ours! }];
  const { jar } = await signInElsewhere(server, [github.ca], 'githubapp');
  const me = await whoIs(jar, server);
  assert.deepEqual([me.name, me.principalIds[1]], ['Ada L.', 'githubapp_user://7']);
  const groups = async () =>
    (await asPage(jar, server, { path: '/v3/principals' })).data
      .map(({ id }: { id: string }) => id)
      .filter((id: string) => /_(?:org|team):/.test(id))
      .sort();
  assert.deepEqual(await groups(), ['githubapp_org://101', 'githubapp_team://201']);

  const session = jar.cookie(server.url, 'R_SESS')!;
  const refresh = async () =>
    server.ask(await server.login(), 'POST', `/v3/users/${me.id}?action=refreshauthprovideraccess`, {}, 200);
  const before = github.tokens.length;
  github.teams = [];
  await refresh();
  assert.ok(github.tokens.length > before, 'the token that had ended was renewed');
  assert.deepEqual(await groups(), ['githubapp_org://101']);
  await refresh();
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 200);
  for (const token of github.tokens) github.revoked.add(token);
  github.app = { ...github.app!, tokenSeconds: 3600 };
  await refresh();
  for (const token of github.tokens) github.revoked.add(token);
  await refresh();
  assert.equal((await server.fetch('GET', '/v3/users?me=true', { token: session })).status, 401);
  await jar[Symbol.asyncDispose]();
});
