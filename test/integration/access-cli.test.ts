/** The command line about access, against a real server: roles, projects, members, who can and why not, providers and sessions. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { fingerprint } from '@drover/engine';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { type CommandLine, makeCommandLine } from './command-line.ts';

const auditFile = 'audit.log';
let server: ServerProcess;
let admin: CommandLine;
let mia: CommandLine;
let auditPath: string;

before(async () => {
  admin = await makeCommandLine();
  mia = await makeCommandLine();
  auditPath = join(admin.home, auditFile);
  server = await startServer({ args: ['--audit-level', '0', '--audit-log', auditPath] });
  const trust = ['--password-stdin', '--ca-fingerprint', fingerprint(server.ca)];
  await admin.ok(['login', server.url, '-u', 'admin', ...trust], { input: adminPassword });
  await admin.ok(['users', 'create', 'mia', '--name', 'Mia Miller', '--password-stdin'], { input: 'mia-password-123' });
  await mia.ok(['login', server.url, '-u', 'mia', ...trust], { input: 'mia-password-123' });
  const token = await server.login();
  await server.ask(token, 'POST', '/v3/clusters', { name: 'prod' });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await mia?.[Symbol.asyncDispose]();
  await admin?.[Symbol.asyncDispose]();
});

test('roles are made, described, listed and deleted, and a bad one names its flag', async () => {
  const made = await admin.ok([
    'roles',
    'create',
    'deployers',
    '--rule',
    'get,list:pods',
    '--rule',
    'update:deployments.apps',
  ]);
  const id = made.split(' ')[0]!;
  assert.match(await admin.ok(['roles', 'describe', 'deployers']), /update\s+deployments\s+apps/);
  assert.match(await admin.ok(['roles', 'list', '--context', 'cluster']), new RegExp(`${id}\\s+deployers\\s+cluster`));
  const yaml = await admin.ok(['roles', 'describe', id, '-o', 'yaml']);
  assert.match(yaml, /roleTemplateIds: \[\]/);
  assert.match((await admin.run(['roles', 'create', 'x'])).stderr, /--rule/);
  assert.match((await admin.run(['roles', 'create', 'x', '--rule', 'pods'])).stderr, /VERBS:RESOURCES/);
  assert.match((await admin.run(['roles', 'list', '--context', 'moon'])).stderr, /global, cluster, project/);
  assert.match((await mia.run(['roles', 'create', 'x', '--rule', '*:*'])).stderr, /can't grant what you don't have/);
  const refused = await mia.run(['users', 'create', 'x', '--password-stdin'], { input: 'long-password-123' });
  assert.match(refused.stderr, /create on users\.management\.cattle\.io; it may be granted by an administrator/);
  await admin.ok(['roles', 'delete', id, '--yes']);
  assert.equal((await admin.run(['roles', 'describe', id])).code, 1);
});

test('roles are changed, and global ones given to people and groups and taken again', async () => {
  const id = (await admin.ok(['roles', 'create', 'readers', '--rule', 'get:pods'])).split(' ')[0]!;
  await admin.ok([
    'roles',
    'set',
    id,
    '--rule',
    'get,list:pods',
    '--rule',
    'get:services',
    '--inherit',
    'view',
    '--lock',
  ]);
  const role = JSON.parse(await admin.ok(['roles', 'describe', id, '-o', 'json']));
  assert.deepEqual(
    [role.rules.map((rule: { verbs: string[] }) => rule.verbs.join()), role.roleTemplateIds, role.locked, role.name],
    [['get,list', 'get'], ['view'], true, 'readers'],
  );
  await admin.ok(['roles', 'set', id, '--unlock', '--name', 'lookers']);
  const after = JSON.parse(await admin.ok(['roles', 'describe', 'lookers', '-o', 'json']));
  assert.deepEqual([after.locked, after.rules.length], [false, 2]);
  assert.match((await admin.run(['roles', 'set', id, '--lock', '--unlock'])).stderr, /only one of them/);
  assert.match((await admin.run(['roles', 'set', 'user', '--lock'])).stderr, /clusters and projects/);

  const global = ['roles', 'create', 'settlers', '--context', 'global', '--rule', 'get:settings.management.cattle.io'];
  const settlers = (await admin.ok(global)).split(' ')[0]!;
  await admin.ok(['roles', 'give', 'settlers', 'mia']);
  await admin.ok(['roles', 'give', settlers, 'github_team://77', '--group']);
  const holders = async () => JSON.parse(await admin.ok(['roles', 'holders', 'settlers', '-o', 'json']));
  assert.deepEqual((await holders()).map((one: Record<string, string>) => one['groupPrincipalId'] ?? 'a user').sort(), [
    'a user',
    'github_team://77',
  ]);
  assert.match((await admin.run(['roles', 'give', 'cluster-owner', 'mia'])).stderr, /must be one of .*admin/);
  assert.match((await mia.run(['roles', 'give', 'admin', 'mia'])).stderr, /may not|don't have/);
  await admin.ok(['roles', 'take', settlers, 'github_team://77', '--group']);
  await admin.ok(['roles', 'take', settlers, 'mia']);
  assert.deepEqual(await holders(), []);
});

test('a rule names its resources, single ones of them, or addresses, and a role may be everybody’s who is new', async () => {
  const rules = ['--rule', 'get:secrets:one,two', '--rule', 'get:/metrics,/healthz', '--rule', '*:pods/log'];
  const made = JSON.parse(
    await admin.ok(['roles', 'create', 'narrow', ...rules, '--description', 'few', '-o', 'json']),
  );
  const plain = made.rules.map((rule: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(rule).filter(([name, value]) => name !== 'type' && value !== null)),
  );
  assert.deepEqual(plain, [
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['one', 'two'] },
    { verbs: ['get'], nonResourceURLs: ['/metrics', '/healthz'] },
    { verbs: ['*'], apiGroups: [''], resources: ['pods/log'] },
  ]);
  assert.equal(made.description, 'few');
  for (const wrong of ['get:pods:', 'get:pods,/metrics'])
    assert.match((await admin.run(['roles', 'set', 'narrow', '--rule', wrong])).stderr, /--rule/, wrong);
  const defaults = async (name: string) => {
    const role = JSON.parse(await admin.ok(['roles', 'describe', name, '-o', 'json']));
    return [role.newUserDefault, role.clusterCreatorDefault, role.projectCreatorDefault];
  };
  await admin.ok(['roles', 'set', 'narrow', '--default']);
  assert.deepEqual(await defaults('narrow'), [undefined, true, false]);
  await admin.ok(['roles', 'set', 'narrow', '--no-default', '--description', 'fewer']);
  assert.deepEqual(await defaults('narrow'), [undefined, false, false]);
});

test('a member gets another role in place of his own, or loses one of several', async () => {
  const rows = async (): Promise<[who: string, role: string][]> =>
    JSON.parse(await admin.ok(['members', 'list', 'prod', '-o', 'json']))
      .filter((row: Record<string, string>) => row['name'] !== 'creator-cluster-owner')
      .map((row: Record<string, string>) => [
        row['groupPrincipalId'] ?? row['userPrincipalId']?.replace(/^local:.*/, 'mia'),
        row['roleTemplateId'],
      ]);
  assert.deepEqual(await rows(), []);
  assert.match(
    (await admin.run(['members', 'set', 'prod', 'mia', '--role', 'cluster-owner'])).stderr,
    /mia.*not found/,
  );
  await admin.ok(['members', 'add', 'prod', 'mia', '--role', 'cluster-member']);
  await admin.ok(['members', 'add', 'prod', 'mia', '--role', 'nodes-view']);
  await admin.ok(['members', 'set', 'prod', 'mia', '--role', 'cluster-owner']);
  assert.deepEqual(await rows(), [['mia', 'cluster-owner']]);
  const king = await admin.run(['members', 'set', 'prod', 'mia', '--role', 'king']);
  assert.match(king.stderr, /--role: "king" must be one of .*cluster-owner/);
  assert.deepEqual(await rows(), [['mia', 'cluster-owner']]);
  await admin.ok(['members', 'add', 'prod', 'mia', '--role', 'nodes-view']);
  assert.match((await admin.run(['members', 'rm', 'prod', 'mia', '--role', 'projects-view'])).stderr, /projects-view/);
  await admin.ok(['members', 'rm', 'prod', 'mia', '--role', 'cluster-owner']);
  assert.deepEqual(await rows(), [['mia', 'nodes-view']]);
  await admin.ok(['members', 'remove', 'prod', 'mia']);

  // Somebody who has not been here yet, and a group without being called one.
  for (const who of ['okta_user://new@example.com', 'github_team://78'])
    await admin.ok(['members', 'add', 'prod', who]);
  assert.deepEqual((await rows()).sort(), [
    ['github_team://78', 'cluster-member'],
    ['okta_user://new@example.com', 'cluster-member'],
  ]);
  const user = await admin.run(['members', 'add', 'prod', 'okta_user://new@example.com', '--group']);
  assert.match(user.stderr, /--group: .* is the principal of a user/);
  assert.match((await admin.run(['members', 'add', 'prod', 'devs', '--group'])).stderr, /no principal of any provider/);
  for (const who of ['okta_user://new@example.com', 'github_team://78'])
    await admin.ok(['members', 'remove', 'prod', who]);
  assert.deepEqual(await rows(), []);

  await admin.ok(['projects', 'create', 'club', '--cluster', 'prod']);
  await admin.ok(['projects', 'add-member', 'club', 'mia', '--role', 'read-only']);
  await admin.ok(['projects', 'set-member', 'club', 'mia', '--role', 'project-owner']);
  const members = await admin.ok(['projects', 'members', 'club']);
  assert.match(members, /project-owner/);
  assert.doesNotMatch(members, /read-only/);
  await admin.ok(['projects', 'delete', 'club', '--yes']);
});

test('a group is let into a cluster and out again', async () => {
  const group = ['prod', 'github_team://77', '--group'];
  await admin.ok(['members', 'add', ...group, '--role', 'cluster-member']);
  assert.match(await admin.ok(['members', 'list', 'prod']), /github_team:\/\/77\s+cluster-member/);
  await admin.ok(['members', 'remove', ...group]);
  assert.doesNotMatch(await admin.ok(['members', 'list', 'prod']), /github_team/);
  assert.match((await admin.run(['members', 'remove', ...group])).stderr, /github_team:\/\/77.*not found/);
});

test('a project is made, gets members, and says who may do what in it and why', async () => {
  await admin.ok(['members', 'add', 'prod', 'mia', '--role', 'cluster-member']);
  const id = (await admin.ok(['projects', 'create', 'shop', '--cluster', 'prod'])).split(' ')[0]!;
  assert.match(await admin.ok(['projects', 'list', '--cluster', 'prod']), /shop/);
  assert.match((await admin.run(['projects', 'describe', 'shpo'])).stderr, /must be one of .*shop \(/);
  const question = ['update', 'projects', '--cluster', 'prod', '--project', 'shop'];
  const no = await mia.run(['can-i', 'create', 'clusterroletemplatebindings', '--cluster', 'prod']);
  assert.deepEqual([no.code, no.stdout], [1, 'no\n']);
  assert.match((await mia.run(['can-i', ...question])).stderr, /there is none that you see/);
  await admin.ok(['projects', 'add-member', 'shop', 'mia', '--role', 'project-owner']);
  assert.match(await admin.ok(['projects', 'members', 'shop']), /project-owner/);
  await until('mia to own the project', async () => (await mia.run(['can-i', ...question])).code === 0, {
    timeoutMs: 30_000,
    everyMs: 200,
  });
  const binding = 'projectRoleTemplateBinding';
  assert.match(await mia.ok(['can-i', ...question]), new RegExp(`^yes: project-owner \\(${binding} `));
  assert.match(await admin.ok(['can-i', ...question, '--as', 'mia']), /^yes: project-owner/);
  const told = JSON.parse(await admin.ok(['who-can', ...question, '-o', 'json']));
  const row = told.subjects.find((one: { name: string }) => one.name === 'Mia Miller');
  assert.deepEqual([row.by.role, row.by.scope, told.complete], ['project-owner', id, true]);
  assert.match(await admin.ok(['who-can', ...question]), /Mia Miller\s+u\S+\s+project-owner/);
  assert.match(
    (await admin.run(['projects', 'add-member', 'shop', 'mia', '--role', 'king'])).stderr,
    /must be one of .*read-only/,
  );
  const quota = ['--quota', 'pods=10,limitsCpu=4', '--namespace-quota', 'pods=2,limitsCpu=500m'];
  await admin.ok(['projects', 'set', 'shop', ...quota, '--container-limit', 'limitsCpu=200m']);
  const shown = await admin.ok(['projects', 'describe', 'shop']);
  assert.match(shown, /limitsCpu +4 +0 +500m +200m/);
  assert.match(shown, /pods +10 +0 +2/);
  const wrong = await admin.run(['projects', 'set', 'shop', '--quota', 'pots=10']);
  assert.match(wrong.stderr, /--quota: "pots" must be one of .*pods/);
  const half = await admin.run(['projects', 'set', 'shop', '--namespace-quota', 'none']);
  assert.match(half.stderr, /namespaceDefaultResourceQuota/);
  await admin.ok(['projects', 'set', 'shop', '--quota', 'none', '--namespace-quota', 'none']);
  assert.doesNotMatch(await admin.ok(['projects', 'describe', 'shop']), /pods/);
  await admin.ok(['projects', 'remove-member', 'shop', 'mia']);
  await admin.ok(['projects', 'delete', 'shop', '--yes']);
});

test('the audit log names the binding that decided', async () => {
  const lines = async () =>
    (await readFile(auditPath, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
  const made = async () =>
    (await lines()).find(
      one => one.method === 'POST' && /^\/v3\/projects/i.test(one.requestURI) && one.stage === 'ResponseComplete',
    );
  const line = await until('the making of the project to be logged', made, { timeoutMs: 30_000, everyMs: 100 });
  assert.match(line.decidedBy, /^globalRoleBinding \S+ \(admin\)$/);
});

test('providers and groups are shown, and a session is ended', async () => {
  assert.match(await admin.ok(['auth-providers', 'list']), /local\s+localConfig\s+true/);
  assert.match(await admin.ok(['auth-providers', 'describe', 'local']), /type: localConfig/);
  assert.match((await admin.run(['auth-providers', 'disable', 'moon'])).stderr, /must be one of .*local/);
  assert.equal((await admin.run(['groups'])).code, 0);
  await admin.ok(['users', 'refresh']);
  const fields = 'issuer: https://issuer.invalid\nclientId: drover\nclientSecret: not-to-be-shown\n';
  const allow = ['--access-mode', 'required', '--allow', 'genericoidc_group://ops'];
  await admin.ok(['auth-providers', 'set', 'genericoidc', '-f', '-', ...allow], { input: fields });
  const shown = await admin.ok(['auth-providers', 'describe', 'genericoidc']);
  assert.match(shown, /issuer: https:\/\/issuer.invalid/);
  assert.match(shown, /genericoidc_group:\/\/ops/);
  assert.doesNotMatch(shown, /not-to-be-shown/);
  assert.equal((await admin.run(['auth-providers', 'set', 'genericoidc', '--access-mode', 'moon'])).code, 1);
  assert.equal((await admin.run(['auth-providers', 'enable', 'genericoidc'])).code, 1, 'nothing answers there');
  assert.match((await admin.run(['auth-providers', 'enable', 'openldap'])).stderr, /--username/);
  assert.match(await admin.ok(['auth-providers', 'list']), /genericoidc\s+\S+\s+false\s+required/);
  const trust = ['--password-stdin', '--ca-fingerprint', fingerprint(server.ca)];
  await mia.ok(['login', server.url, '-u', 'mia', ...trust], { input: 'mia-password-123' });
  const list = async () => JSON.parse(await mia.ok(['sessions', 'list', '-o', 'json']));
  const [first, second] = (await list()).sort((a: { current: boolean }) => (a.current ? 1 : -1));
  assert.deepEqual([first.current, second.current], [false, true]);
  await mia.ok(['sessions', 'revoke', first.id, '--yes']);
  assert.deepEqual(
    (await list()).map((one: { id: string }) => one.id),
    [second.id],
  );
});
