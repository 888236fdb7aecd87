/**
 * `drover up --cluster local` with its whole node, through the server: pods run and are reached, by name too; nothing of it is left
 * when it ends, it finds itself again, and what a killed one left is cleared away by the next.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { runCommand, whyNoNode } from '@drover/engine';
import { clustersSkipReason } from '../hosts/skip.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { kubectl, startKubectl } from './kubectl.ts';
import { writeBusyboxImage } from './node/image.ts';
import { container, webDeployment, webService } from './node/workload.ts';

const patient = { timeoutMs: 60_000, everyMs: 100 };
let skip: string | undefined;
let dir: string;
let server: ServerProcess;
let port = 0;
let podName: string;
let cgroupsBefore: ReadonlySet<string>;

const dataDir = () => join(dir, 'data');
const start = async (cluster = 'local') => {
  const env = { KUBECONFIG: '/nonexistent' };
  server = await startServer({ dataDir: dataDir(), port, args: ['--cluster', cluster], env });
  port = Number(new URL(server.url).port);
};
const ready = () =>
  until(
    'the node',
    () => {
      const refused = /^local: control plane only.*$/m.exec(server.output)?.[0];
      return refused ?? (server.output.includes('local: local-node is ready') && 'ready');
    },
    patient,
  ).then(said => assert.equal(said, 'ready'));
const ask = (...args: string[]) => kubectl(args, { kubeconfig: join(dir, 'config') });

before(async () => {
  skip = (await clustersSkipReason()) ?? (await whyNoNode());
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'drover-local-node-'));
  cgroupsBefore = new Set(await cgroups());
  // A data directory is made by a server; what the node shall have is in it before there is a node.
  await (await startServer({ dataDir: dataDir() })).stop();
  const images = join(dataDir(), 'local', 'images');
  await mkdir(images, { recursive: true });
  await writeBusyboxImage(join(images, 'busybox.tar'));
  await start();
  await ready();
  const admin = await server.login();
  const { config } = await server.ask(admin, 'POST', '/v3/clusters/local?action=generateKubeconfig', {}, 200);
  await writeFile(join(dir, 'config'), config, { mode: 0o600 });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const shell = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'shell' }, spec: container('exec sleep 100000') };
const closed = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'closed' },
  spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
};

async function apply(...items: object[]): Promise<void> {
  const path = join(dir, 'objects.json');
  await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await ask('apply', '-f', path);
}
const fetchWeb = () =>
  ask('exec', 'shell', '--', 'timeout', '2', 'wget', '-q', '-O', '-', 'http://web.default.svc.cluster.local');
const webAnswers = () =>
  until('the service to answer by its name', async () => (await fetchWeb()) === 'hello\n', patient);

test('pods run on the node, and reach a service by its name', async t => {
  if (skip) return t.skip(skip);
  assert.match(await ask('get', 'nodes'), /local-node +Ready/);
  await apply(webDeployment(1), webService, shell);
  await ask('wait', '--for=condition=Ready', 'pod/shell', '--timeout=60s');
  await ask('rollout', 'status', 'deployment/web', '--timeout=60s');
  await webAnswers();
  podName = (await ask('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}')).trim();
});

test('logs are followed through the server', async t => {
  if (skip) return t.skip(skip);
  await using following = startKubectl(['logs', '-f', podName], join(dir, 'config'));
  await until('the first line', () => following.output().includes('serving'), patient);
  await ask('exec', podName, '--', 'sh', '-c', 'echo and more >/proc/1/fd/1');
  await until('the next line', () => following.output().includes('and more'), patient);
});

test('network policies hold', async t => {
  if (skip) return t.skip(skip);
  await apply(closed);
  await until(
    'the service to be closed',
    () =>
      fetchWeb().then(
        () => false,
        () => true,
      ),
    patient,
  );
  await ask('delete', 'networkpolicy', 'closed');
  await webAnswers();
});

test('pods have no way out, and of the machine’s own addresses the API server has loopback alone', async t => {
  if (skip) return t.skip(skip);
  const inside = ['--target', await machinePid(), '--net'];
  assert.doesNotMatch(await runCommand('nsenter', [...inside, 'ip', 'route']), /^default/m);
  const { apiserver } = JSON.parse(await readFile(join(dataDir(), 'local', 'ports.json'), 'utf8'));
  const answering: string[] = [];
  const addresses = Object.values(networkInterfaces()).flatMap(all => all ?? []);
  for (const { address, family } of addresses)
    if (family === 'IPv4' && (await answers(address, apiserver))) answering.push(address);
  assert.deepEqual(answering, ['127.0.0.1']);
});

test('what a kubelet sets of the kernel is not set on the machine', async t => {
  if (skip) return t.skip(skip);
  const path = '/proc/sys/kernel/panic';
  const [pid, before] = [await machinePid(), await readFile(path, 'utf8')];
  const other = String(Number(before) + 7);
  const seen = await runCommand('nsenter', ['-t', pid, '-m', 'sh', '-c', `echo ${other} >${path}; cat ${path}`]);
  const after = await readFile(path, 'utf8');
  if (after !== before) await writeFile(path, before);
  assert.deepEqual([seen.trim(), after], [other, before]);
});

test('the node is one of the cluster in the server, with what it can carry and what it uses', async t => {
  if (skip) return t.skip(skip);
  const admin = await server.login();
  const [node] = await until(
    'the node',
    async () => {
      const { data } = await server.ask(admin, 'GET', '/v3/nodes?clusterId=local');
      return data[0]?.state === 'active' && data;
    },
    patient,
  );
  assert.equal(node.nodeName, 'local-node');
  assert.ok(Number(node.capacity.pods) > 0, JSON.stringify(node.capacity));
  const usage = await until('its usage', () => ask('top', 'node', 'local-node', '--no-headers'), patient);
  assert.match(usage, /^local-node +\d+m/);
});

test('nothing of it is left when it ends, and the next start finds it as it was', async t => {
  if (skip) return t.skip(skip);
  const stopping = performance.now();
  await server.stop('SIGINT');
  t.diagnostic(`stopped after ${Math.round(performance.now() - stopping)} ms`);
  assert.deepEqual(await leftovers(), []);
  const starting = performance.now();
  await start();
  await ready();
  t.diagnostic(`ready again after ${Math.round(performance.now() - starting)} ms`);
  await webAnswers();
  assert.equal(await ask('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}'), podName);
});

test('one that is killed takes its node along, and the next start clears away the rest', async t => {
  if (skip) return t.skip(skip);
  await server.stop('SIGKILL');
  await until(
    'all but control groups to be gone',
    async () => {
      const others = (await leftovers()).filter(left => !left.startsWith('cgroup '));
      if (others.length > 0) throw new Error(`there are ${others.join(', ')}`);
      return true;
    },
    patient,
  );
  const killed = await leftovers();
  assert.notDeepEqual(killed, []);
  // Whatever it starts itself.
  await start('control-plane');
  await until('the rest to be cleared away', async () => (await leftovers('cgroup')).length === 0, {
    ...patient,
    everyMs: 10,
  });
  await server.stop('SIGTERM');
  assert.deepEqual(await leftovers(), []);
});

/** What there is on this machine of the server's data directory: processes, mounts, links, control groups. */
async function leftovers(kind = ''): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter(line => line.includes(dir));
  const links = JSON.parse(await runCommand('ip', ['-j', 'link', 'show'])) as { ifname: string; ifalias?: string }[];
  const all = [
    ...(await processes()).map(one => `process ${one}`),
    ...mounts.map(one => `mount ${one}`),
    ...links.filter(({ ifalias }) => ifalias?.includes(dir)).map(({ ifname }) => `link ${ifname}`),
    ...(await cgroups()).filter(one => !cgroupsBefore.has(one)).map(one => `cgroup ${one}`),
  ];
  return all.filter(one => one.startsWith(kind));
}

async function processes(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter(line => line.includes(dir)).map(line => line.replaceAll('\0', ' ').slice(0, 200));
}

async function cgroups(): Promise<string[]> {
  const root = '/sys/fs/cgroup';
  const trees = [
    root,
    ...(await readdir(root, { withFileTypes: true }))
      .filter(one => one.isDirectory())
      .map(({ name }) => join(root, name)),
  ];
  const names = await Promise.all(trees.map(async tree => (await readdir(tree)).map(name => join(tree, name))));
  return names.flat().filter(path => path.includes('/drover-local-'));
}

function answers(host: string, at: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port: at, timeout: 5_000 });
    const over = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', over(true)).once('error', over(false)).once('timeout', over(false));
  });
}

/** The first process of the node's machine: what is in the namespaces of its keeper's only child. */
async function machinePid(): Promise<string> {
  const { pid } = JSON.parse(await readFile(join(dataDir(), 'local', 'node', 'run', 'machine.pid'), 'utf8'));
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
}
