/** `drover up --cluster context:NAME`: a kubeconfig's cluster is managed by an agent that is a process beside the server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { WebSocket } from 'ws';
import { type ServerProcess, startServer } from '../server-process.ts';
import { missingApiServer, startApiServer, type TestApiServer } from './kube-apiserver.ts';

const run = promisify(execFile);
const skip = missingApiServer();

async function contextOf(api: TestApiServer): Promise<string> {
  const { stdout } = await run(api.kubectl, ['--kubeconfig', api.kubeconfigPath, 'config', 'current-context']);
  return stdout.trim();
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

const argumentsOf = async (pid: number): Promise<string[]> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');

/** The agents that a server has started, by what the kernel says of its children; a guard stands between. */
async function agentsOf({ child }: ServerProcess): Promise<number[]> {
  const below = await Promise.all((await childrenOf(child.pid!)).map(childrenOf));
  const programs = await Promise.all(below.flat().map(async pid => ({ pid, program: (await argumentsOf(pid))[0] })));
  return programs.filter(({ program }) => program?.endsWith('/node')).map(({ pid }) => pid);
}

const goneWithItsServer = (pid: number) =>
  until('the agent to end with its server', async () => !(await readdir('/proc')).includes(String(pid)));

const asAdmin = async (api: TestApiServer, ...args: readonly string[]): Promise<string> =>
  (await run(api.kubectl, ['--kubeconfig', api.kubeconfigPath, ...args])).stdout;

const shellPods = async (api: TestApiServer): Promise<string[]> =>
  (await asAdmin(api, '-n', 'cattle-system', 'get', 'pods', '-o', 'name')).split('\n').filter(Boolean);

/** A kubectl shell whose pod is there and waits: no node takes it here. */
async function pendingShell(
  { url, ca }: ServerProcess,
  { id, token }: { readonly id: string; readonly token: string },
): Promise<void> {
  const socket = new WebSocket(`${url}/v3/clusters/${id}?shell=true`, ['v4.channel.k8s.io'], {
    ca,
    headers: { authorization: `Bearer ${token}` },
  });
  let said = '';
  socket.on('message', data => (said += data));
  socket.on('error', error => (said += error.message));
  await until('it to wait', () => /no node has taken it yet/.test(said)).catch(error => {
    throw new Error(said, { cause: error });
  });
}

const start = (api: TestApiServer, dataDir: string, choice: string) =>
  startServer({ dataDir, args: ['--cluster', choice], env: { KUBECONFIG: api.kubeconfigPath } });

async function managed(server: ServerProcess, token: string): Promise<{ id: string; name: string }> {
  return until(
    'the cluster to be active',
    async () => {
      const { data } = await server.ask(token, 'GET', '/v3/clusters');
      assert.ok(data.length <= 1, 'there is one');
      return data[0]?.state === 'active' ? data[0] : undefined;
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
}

test('a context of the kubeconfig is managed, and is the same cluster after a new start', { skip }, async t => {
  await using api = await startApiServer();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-context-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const context = await contextOf(api);
  let id: string;
  let token: string;
  let agents: number[];
  {
    await using server = await start(api, dataDir, `context:${context}`);
    token = await server.login();
    ({ id } = await managed(server, token));
    // The admin's rights in there follow within moments of its being active.
    const list = await until('the namespaces', async () => {
      const { status, body } = await server.fetch('GET', `/k8s/clusters/${id}/api/v1/namespaces`, { token });
      return status === 200 ? body : undefined;
    });
    assert.ok(list.items.some(({ metadata }: { metadata: { name: string } }) => metadata.name === 'kube-system'));
    agents = await agentsOf(server);
    assert.equal(agents.length, 1);
    for (const pid of [...agents, ...(await childrenOf(server.child.pid!))]) {
      const given = (await argumentsOf(pid)).join(' ');
      assert.ok(!given.includes('DROVER_TOKEN') && !/[a-z0-9]{54}/.test(given), 'no token among its arguments');
    }
    await asAdmin(api, 'create', 'namespace', 'cattle-system');
    // Where controllers run they make it; no pod is let in without.
    await asAdmin(api, '-n', 'cattle-system', 'create', 'serviceaccount', 'default');
    await server.ask(token, 'PUT', '/v3/settings/server-url', { value: 'https://drover.test' });
    await pendingShell(server, { id, token });
    await server.stop();
  }
  assert.deepEqual(await shellPods(api), [], 'a server that stops leaves no shell');
  await goneWithItsServer(agents[0]!);
  await using again = await start(api, dataDir, `context:${context}`);
  assert.equal((await managed(again, token)).id, id);

  const [killed] = await agentsOf(again);
  process.kill(killed!, 'SIGKILL');
  const another = await until('another agent', async () => {
    const [pid] = await agentsOf(again);
    const answer = await again.fetch('GET', `/k8s/clusters/${id}/version`, { token });
    return pid !== killed && answer.status === 200 ? pid : undefined;
  });
  await pendingShell(again, { id, token });
  await again.stop('SIGKILL');
  await goneWithItsServer(another);
  assert.equal((await shellPods(api)).length, 1);
  await using third = await start(api, dataDir, `context:${context}`);
  await until('what the killed one left to be gone', async () => (await shellPods(api)).length === 0);
  const { data } = await third.ask(token, 'GET', '/v3/tokens');
  assert.ok(!data.some((one: { description: string }) => one.description === 'kubectl shell'));
});

test('without a flag the kubeconfig’s cluster is taken where it answers, and remembered', { skip }, async t => {
  await using api = await startApiServer();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-context-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  await using server = await start(api, dataDir, 'auto');
  await managed(server, await server.login());
  const remembered = JSON.parse(await readFile(join(dataDir, 'cluster.json'), 'utf8'));
  assert.equal(remembered.context, await contextOf(api));
});

test('a context that is not there is named with those that are, and the server serves all the same', {
  skip,
}, async t => {
  await using api = await startApiServer();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-context-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  await using server = await start(api, dataDir, 'context:nowhere');
  await until('the reason', () => /cluster: .*"?nowhere"?/.test(server.output));
  assert.ok(server.output.includes(await contextOf(api)), server.output);
  assert.equal((await server.fetch('GET', '/readyz')).status, 200);
});
