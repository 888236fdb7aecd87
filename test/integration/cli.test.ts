/** The command line against a real server, as a process of its own with a home of its own. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { fingerprint } from '@drover/engine';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { type CommandLine, cliMain, makeCommandLine } from './command-line.ts';
import { missingApiServer, startApiServer } from './kube-apiserver.ts';

const agentMain = fileURLToPath(new URL('../../packages/agent/src/main.ts', import.meta.url));
let server: ServerProcess;
let shell: CommandLine;
let home: string;
let drover: CommandLine['run'];
let ok: CommandLine['ok'];

before(async () => {
  shell = await makeCommandLine();
  ({ home, run: drover, ok } = shell);
  server = await startServer();
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await shell?.[Symbol.asyncDispose]();
});

const password = { input: adminPassword };

test('a CA that nobody vouched for is not trusted, and nothing is sent', async () => {
  const silent = await drover(['login', server.url, '-u', 'admin', '--password-stdin'], password);
  assert.deepEqual([silent.code, /--ca-fingerprint/.test(silent.stderr)], [2, true]);
  const wrong = await drover(
    ['login', server.url, '-u', 'admin', '--password-stdin', '--ca-fingerprint', 'ab'.repeat(32)],
    password,
  );
  assert.deepEqual([wrong.code, /not the fingerprint of this server/.test(wrong.stderr)], [2, true]);
  const clear = await drover(['login', server.url.replace('https', 'http')], password);
  assert.deepEqual([clear.code, /https/.test(clear.stderr)], [1, true]);
  assert.equal((await drover(['whoami'])).code, 1);
});

test('the fingerprint lets one in, and a wrong password does not', async () => {
  const args = ['login', server.url, '-u', 'admin', '--password-stdin', '--ca-fingerprint', fingerprint(server.ca)];
  const refused = await drover(args, { input: 'wrong-password-123' });
  assert.deepEqual([refused.code, /authentication failed/.test(refused.stderr)], [1, true]);
  await ok(args, password);
  assert.match(await ok(['whoami']), /^admin \(user-/);
  assert.match(await ok(['servers']), /\*\s+127\.0\.0\.1/);
});

test('a CA file does as well', async () => {
  const file = join(home, 'ca.pem');
  await writeFile(file, server.ca);
  await ok(['login', server.url, '-u', 'admin', '--password-stdin', '--ca-file', file], password);
  const broken = join(home, 'broken.pem');
  await writeFile(broken, 'nothing');
  assert.match((await drover(['login', server.url, '--ca-file', broken])).stderr, /not a PEM certificate/);
});

test('users, tokens, settings and members are made, listed, changed and removed', async () => {
  await ok(['users', 'create', 'ursula', '--password-stdin', '--name', '乌苏拉'], { input: 'ursula-password-1' });
  assert.match(await ok(['users', 'list']), /ursula\s+乌苏拉/);
  assert.match(
    (await drover(['users', 'create', 'ursula', '--password-stdin'], { input: 'ursula-password-1' })).stderr,
    /username/,
  );
  assert.match((await drover(['users', 'create', 'kurt', '--password-stdin'], { input: 'short' })).stderr, /password/);
  await ok(['users', 'disable', 'ursula']);
  await ok(['users', 'enable', 'ursula']);
  await ok(['users', 'set-password', 'ursula', '--password-stdin'], { input: 'another-password-2' });
  const token = (await ok(['tokens', 'create', '--description', 'ci', '--ttl', '1h'])).trim();
  assert.match(token, /^token-[a-z0-9]+:[a-z0-9]{54}$/);
  assert.match(await ok(['tokens', 'list']), /ci/);
  await ok(['tokens', 'delete', token.split(':')[0]!]);
  await ok(['settings', 'set', 'password-min-length', '14']);
  assert.equal((await ok(['settings', 'get', 'password-min-length'])).trim(), '14');
  assert.match((await drover(['settings', 'set', 'password-min-length', 'many'])).stderr, /whole number/);
  await ok(['settings', 'set', 'password-min-length', '']);
  assert.equal((await ok(['settings', 'get', 'password-min-length'])).trim(), '12');
  await ok(['users', 'delete', 'ursula', '--yes']);
});

test('an existing cluster is imported, reached with kubectl, described and deleted', { timeout: 180_000 }, async t => {
  const missing = missingApiServer();
  if (missing) return t.skip(missing);
  await using api = await startApiServer();
  const stuck = await drover(['clusters', 'import', 'prod', '--kubeconfig', api.kubeconfigPath, '--timeout', '1']);
  assert.equal(stuck.code, 1);
  assert.match(stuck.stderr, /Deployment cattle-cluster-agent created/);
  assert.match(stuck.stderr, /Not active after 1 s: the agent has no pod yet/);

  const again = await drover(['clusters', 'import', 'prod', '--kubeconfig', api.kubeconfigPath, '--timeout', '1']);
  assert.match(again.stderr, /"prod" \(c-[a-z0-9]+\) is registered and has no agent yet: going on/);
  assert.match(again.stderr, /Deployment cattle-cluster-agent unchanged/);

  // No node runs there, so the agent is a process beside it.
  const id = /\((c-[a-z0-9]+)\)/.exec(stuck.stderr)![1]!;
  const admin = await server.login();
  const tokens = await server.ask(admin, 'GET', `/v3/clusters/${id}/clusterregistrationtokens`);
  const caFile = join(home, 'ca.pem');
  await writeFile(caFile, server.ca);
  const env = { PATH: process.env['PATH'], DROVER_SERVER: server.url, DROVER_TOKEN: tokens.data[0].token };
  const agent = spawn(process.execPath, [agentMain, '--kubeconfig', api.kubeconfigPath, '--ca-file', caFile], {
    env,
    stdio: 'ignore',
  });
  try {
    await until(
      'the cluster to be active',
      async () => (await server.ask(admin, 'GET', `/v3/clusters/${id}`)).state === 'active',
      { timeoutMs: 30_000, everyMs: 100 },
    );
    assert.match(await ok(['clusters', 'list']), /prod\s+active/);
    assert.match(await ok(['clusters', 'describe', 'prod']), /Connected\s+True/);
    await ok(['use-cluster', 'prod']);
    assert.match(await ok(['kubectl', 'get', 'namespaces']), /cattle-system/);
    assert.equal((await drover(['kubectl', 'get', 'nothing-like-this'])).code, 1);

    await namespaceCommands();

    const kubeconfig = join(home, 'exec.kubeconfig');
    const bin = join(home, 'bin');
    await mkdir(bin);
    const PATH = `${bin}:${process.env['PATH']}`;
    const throughPlugin = async () => {
      const args = ['--kubeconfig', kubeconfig, 'get', 'namespaces', '-o', 'name'];
      assert.match(
        (await promisify(execFile)(api.kubectl, args, { env: { PATH, HOME: home } })).stdout,
        /namespace\/kube-system/,
      );
    };
    // The real kubectl runs the plugin: this checkout's launcher, and by its name where that is on PATH.
    await ok(['kubeconfig', 'prod', '-f', kubeconfig]);
    assert.match(await readFile(kubeconfig, 'utf8'), /"command": "\/.*\/drover"/);
    await throughPlugin();
    await writeFile(join(bin, 'drover'), `#!/bin/sh\nexec '${process.execPath}' '${cliMain}' "$@"\n`, { mode: 0o755 });
    await ok(['kubeconfig', 'prod', '-f', kubeconfig], { env: { PATH } });
    assert.match(await readFile(kubeconfig, 'utf8'), /"command": "drover"/);
    await throughPlugin();
    const credential = JSON.parse(await ok(['credential', '--cluster', id]));
    assert.match(credential.status.token, /^token-/);
    assert.equal(JSON.parse(await ok(['credential', '--cluster', id])).status.token, credential.status.token);
    const merged = join(home, 'merged.kubeconfig');
    await writeFile(merged, 'apiVersion: v1\nkind: Config\n# mine\nclusters: []\nusers: []\ncontexts: []\n');
    await ok(['kubeconfig', 'prod', '--static', '--merge', '-f', merged]);
    assert.match(await readFile(merged, 'utf8'), /# mine[\s\S]*current-context: "?prod/);

    const seen = await ok(['doctor', '--cluster', 'prod']);
    assert.match(seen, /✓ Cluster prod: active/);
    assert.match(seen, /✓ From prod, clock: same as the server’s/);
    assert.match(seen, /✓ From prod, tls: .*drover-ca/);
    assert.match(seen, /✓ From prod, kube-apiserver: v1\./);
    const member = await server.makeUser(admin, 'mona');
    const own = `/v3/clusters/${id}`;
    assert.equal((await server.fetch('GET', `${own}/doctor`, { token: member.token })).status, 404);
    await ok(['members', 'add', 'prod', 'mona']);
    await until(
      'the member to see the cluster',
      async () => (await server.fetch('GET', own, { token: member.token })).status === 200,
      { timeoutMs: 30_000, everyMs: 50 },
    );
    assert.equal((await server.ask(member.token, 'GET', own)).links.doctor, undefined);
    assert.equal((await server.fetch('GET', `${own}/doctor`, { token: member.token })).status, 404);
    await ok(['clusters', 'delete', 'prod', '--yes']);
    await until(
      'the cluster to be forgotten',
      async () => !(await ok(['clusters', 'list', '-o', 'json'])).includes(id),
      { timeoutMs: 30_000, everyMs: 200 },
    );
  } finally {
    const gone = once(agent, 'exit');
    agent.kill('SIGKILL');
    if (agent.exitCode === null && agent.signalCode === null) await gone;
  }
});

/** Of the current cluster. */
async function namespaceCommands(): Promise<void> {
  const quota = ['--quota', 'pods=10,limitsCpu=4', '--namespace-quota', 'pods=2,limitsCpu=500m'];
  await ok(['projects', 'create', 'shop', ...quota]);
  await ok(['projects', 'create', 'other']);
  const made = await ok(['namespaces', 'create', 'web', '--project', 'shop', '--quota', 'pods=4,limitsCpu=1']);
  assert.match(made, /^web c-\w+:p-\w+/);
  const shown = async () => JSON.parse(await ok(['namespaces', 'describe', 'web', '-o', 'json']));
  await until('its project to be told', async () => (await shown()).projectId === made.trim().split(' ')[1], {
    timeoutMs: 30_000,
  });
  assert.match(await ok(['namespaces', 'list', '--project', 'shop']), /web\s+c-\S+\s+active/);
  assert.match(await ok(['namespaces', 'list', '-o', 'yaml']), /name: web/);
  assert.match(await ok(['namespaces', 'describe', 'web']), /name +web[\s\S]*pods +4/);
  await ok(['namespaces', 'set', 'web', '--quota', 'pods=6,limitsCpu=1', '--container-limit', 'limitsCpu=100m']);
  const { resourceQuota, containerDefaultResourceLimit } = await shown();
  assert.deepEqual([resourceQuota.limit.pods, containerDefaultResourceLimit.limitsCpu], ['6', '100m']);
  const tooMuch = await drover(['namespaces', 'set', 'web', '--quota', 'pods=60,limitsCpu=1']);
  assert.match(tooMuch.stderr, /pods/);
  assert.match((await drover(['namespaces', 'set', 'web'])).stderr, /needs a flag/);
  assert.match((await drover(['namespaces', 'set', 'web', '--quota', 'pots=1'])).stderr, /"pots" must be one of/);
  assert.equal((await shown()).resourceQuota.limit.pods, '6');
  assert.match((await drover(['namespaces', 'describe', 'nowhere'])).stderr, /nowhere.*not found/);
  await ok(['namespaces', 'create', 'roam', '--project', 'other']);
  await ok(['namespaces', 'move', 'roam']);
  assert.ok(!(JSON.parse(await ok(['namespaces', 'describe', 'roam', '-o', 'json'])).projectId ?? ''));
  await ok(['namespaces', 'move', 'roam', 'other']);
  assert.match(await ok(['namespaces', 'list', '--project', 'other']), /roam/);
  assert.match((await drover(['namespaces', 'move', 'roam', 'nowhere'])).stderr, /must be one of .*shop \(/);
  for (const name of ['web', 'roam']) await ok(['namespaces', 'delete', name, '--yes']);
  for (const name of ['shop', 'other']) await ok(['projects', 'delete', name, '--yes']);
}

test('output is JSON or YAML where that is asked for', async () => {
  const users = JSON.parse(await ok(['users', 'list', '-o', 'json'])) as { username: string }[];
  assert.ok(users.some(({ username }) => username === 'admin'));
  assert.match(await ok(['users', 'list', '-o', 'yaml']), /username: admin/);
  assert.match((await drover(['users', 'list', '-o', 'xml'])).stderr, /table, json or yaml/);
});

test('mistakes are told with what would be right', async () => {
  assert.match((await drover(['clutsers'])).stderr, /Did you mean clusters/);
  assert.match((await drover(['clusters', 'describe', 'nope'])).stderr, /"nope" not found/);
  assert.match((await drover(['help', 'nope'])).stderr, /unknown command 'nope'/);
  assert.match((await drover(['tokens', 'create', '--ttl', 'long'])).stderr, /--ttl: "long" must be/);
  const role = await drover(['users', 'create', 'rolf', '--password-stdin', '--global-role', 'usr'], {
    input: 'rolf-password-1234',
  });
  assert.match(role.stderr, /--global-role: "usr" must be one of .*\buser\b/);
  assert.doesNotMatch(await ok(['users', 'list']), /rolf/);
  const env = { DROVER_TOKEN: 'token-nope0:none' };
  assert.match(
    (await drover(['whoami'], { env })).stderr,
    /^drover: DROVER_TOKEN: the server does not take this token/,
  );
  const zh = await drover(
    ['login', server.url, '-u', 'admin', '--password-stdin', '--ca-fingerprint', 'ab'.repeat(32)],
    { ...password, env: { LANG: 'zh_CN.UTF-8' } },
  );
  assert.match(zh.stderr, /这不是该服务器的指纹/);
});

test('doctor finds what is wrong', async () => {
  assert.match(await ok(['doctor']), /✓ WebSocket: upgrades reach the server/);
  const config = join(home, '.config', 'drover', 'config.json');
  const saved = await readFile(config, 'utf8');
  await writeFile(config, saved.replaceAll(new URL(server.url).port, '1'));
  const away = await drover(['doctor']);
  assert.deepEqual([away.code, /✗ TCP: nothing answers/.test(away.stdout)], [1, true]);
  await writeFile(config, saved.slice(0, 20));
  assert.match((await drover(['whoami'])).stderr, /is not valid JSON/);
  await writeFile(config, saved);
});

test('logout ends the token', async () => {
  const config = JSON.parse(await readFile(join(home, '.config', 'drover', 'config.json'), 'utf8'));
  const token = (Object.values(config.servers)[0] as { token: string }).token;
  await ok(['logout']);
  assert.equal((await server.fetch('GET', '/v3', { token })).status, 401);
  assert.match((await drover(['whoami'])).stderr, /drover login/);
});
