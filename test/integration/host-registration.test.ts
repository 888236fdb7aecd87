/**
 * Hosts that register for a cluster, with real agents as processes of their own: what is refused and in which words, what a host is
 * known by afterwards, and what the cluster waits for meanwhile. Nothing is installed here: no cluster has all of its roles.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { type ServerProcess, startServer } from '../server-process.ts';

const main = fileURLToPath(new URL('../../packages/agent/src/main.ts', import.meta.url));
let dir: string;
let server: ServerProcess;
let admin: string;
let clusterId: string;
let command: string;

// biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
type Wire = any;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-hosts-'));
  await writeAgentArchive(join(dir, 'drover-agent-amd64.tar'));
  await writeBundle(join(dir, 'bundle'));
  server = await startServer({ args: ['--cluster', 'none', '--agent-images', dir, '--bundle', dir] });
  admin = await server.login();
  const made = await server.ask(admin, 'POST', '/v3/clusters', { name: 'hosts', rancherKubernetesEngineConfig: {} });
  clusterId = made.id;
  command = await until('the node command', async () => {
    const { data } = await server.ask(admin, 'GET', `/v3/clusters/${clusterId}/clusterregistrationtokens`);
    return data[0]?.nodeCommand as string | undefined;
  });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const contentOf = 'what every node needs';
const sumOf = (text: string) => createHash('sha256').update(text).digest('hex');

async function writeBundle(to: string): Promise<void> {
  await mkdir(join(to, 'bin'), { recursive: true });
  await writeFile(join(to, 'bin/tool'), contentOf);
  const files = [{ path: 'bin/tool', sha256: sumOf(contentOf), bytes: contentOf.length, executable: true }];
  const id = sumOf(`bin/tool\0${sumOf(contentOf)}\0true\n`);
  const manifest = { format: 1, id, madeFrom: 'a test', platform: 'linux-amd64', versions: {}, files, images: {} };
  await writeFile(join(to, 'bundle.json'), JSON.stringify(manifest));
}

/** An image's archive with one layer: what hosts get is served out of it. */
async function writeAgentArchive(path: string): Promise<void> {
  const { pack } = await import('tar-stream');
  const { buffer } = await import('node:stream/consumers');
  const archive = pack();
  const whole = buffer(archive);
  const layer = 'a'.repeat(64);
  const manifest = [
    { Config: `blobs/sha256/${'c'.repeat(64)}`, RepoTags: ['drover/agent:0.1.0'], Layers: [`blobs/sha256/${layer}`] },
  ];
  archive.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  archive.entry({ name: `blobs/sha256/${layer}` }, 'bytes of a layer');
  archive.finalize();
  await writeFile(path, await whole);
}

const flagOf = (name: string): string => new RegExp(`--${name} (\\S+)`).exec(command)![1]!;

interface Host {
  readonly name: string;
  readonly roles?: readonly string[];
  readonly address?: string;
  readonly token?: string;
  readonly serverKey?: string;
  readonly machineId?: string;
}

interface Agent extends AsyncDisposable {
  readonly dir: string;
  readonly output: () => string;
  state(): Promise<{ readonly state: string; readonly message?: string }>;
  stop(): Promise<void>;
}

let hosts = 0;

async function startAgent(host: Host, folder?: string): Promise<Agent> {
  const place = folder ?? join(dir, `host-${++hosts}`);
  const address = host.address ?? `192.0.2.${hosts + 10}`;
  await mkdir(place, { recursive: true });
  const config = {
    server: server.url,
    token: host.token ?? flagOf('token'),
    caChecksum: flagOf('ca-checksum'),
    serverKey: host.serverKey ?? flagOf('server-key'),
    roles: host.roles ?? ['worker'],
    nodeName: host.name,
    address,
    internalAddress: address,
    labels: { zone: 'a' },
    taints: [],
    machineIdFile: join(place, 'machine-id'),
  };
  const machineId = host.machineId ?? randomBytes(16).toString('hex');
  if (!folder || host.machineId) await writeFile(config.machineIdFile, machineId);
  await writeFile(join(place, 'config.json'), JSON.stringify(config));
  const child = spawn(process.execPath, [main, 'host', 'run', place], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  return {
    dir: place,
    output: () => said.join(''),
    state: () =>
      until(
        `an answer to ${host.name}`,
        async () => {
          const state = JSON.parse(await readFile(join(place, 'state.json'), 'utf8').catch(() => '{}'));
          return state.state === 'registered' || state.state === 'refused' ? state : undefined;
        },
        { timeoutMs: 60_000 },
      ).catch(error => {
        throw new Error(`${error.message}: ${said.join('')}`);
      }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const nodeNamed = async (name: string): Promise<Wire> => {
  const { data } = await server.ask(admin, 'GET', `/v3/clusters/${clusterId}/nodes`);
  return data.find((node: Wire) => node.requestedHostname === name);
};

test('the node command names script, CA and server by what nobody else has, and what it fetches is served', async () => {
  const nodeCommand = command;
  assert.match(nodeCommand, /^d=\$\(mktemp -d\) && curl -kfsSL https:\/\/\S+\/install\.sh /);
  assert.match(nodeCommand, /sha256sum -c --quiet - && sudo sh \$d\/install\.sh --server \S+ --token \S+ /);
  const sum = /echo "([0-9a-f]{64}) /.exec(nodeCommand)![1];
  const script = await server.fetch('GET', '/v3/connect/host/install.sh');
  assert.equal(createHash('sha256').update(script.body).digest('hex'), sum);
  const ca = await server.fetch('GET', '/v3/connect/host/ca.pem');
  assert.equal(createHash('sha256').update(ca.body).digest('hex'), flagOf('ca-checksum'));
  const layer = await server.fetch('GET', `/v3/connect/host/${'a'.repeat(64)}.tar.gz`);
  assert.deepEqual([layer.status, layer.body], [200, 'bytes of a layer']);
  assert.equal((await server.fetch('GET', `/v3/connect/host/${'b'.repeat(64)}.tar.gz`)).status, 404);
});

test('a file of a bundle is given to whoever names its checksum, from where he broke off', async () => {
  const get = (sum: string, range?: string) =>
    server.fetch('GET', `/v3/connect/host/bundle/${sum}`, range ? { headers: { range } } : {});
  const whole = await get(sumOf(contentOf));
  assert.deepEqual([whole.status, whole.body], [200, contentOf]);
  const rest = await get(sumOf(contentOf), 'bytes=5-');
  assert.deepEqual(
    [rest.status, rest.body, rest.headers['content-range']],
    [206, contentOf.slice(5), `bytes 5-${contentOf.length - 1}/${contentOf.length}`],
  );
  assert.equal((await get(sumOf(contentOf), 'bytes=999-')).status, 416);
  for (const sum of [sumOf('another'), '../bundle.json', 'bin/tool']) assert.equal((await get(sum)).status, 404);
});

test('a cluster says which roles it waits for, and a host that registers is a node with what was said on it', async () => {
  const cluster = () => server.ask(admin, 'GET', `/v3/clusters/${clusterId}`);
  const waits = await until('the cluster to say what it waits for', async () => {
    const seen = await cluster();
    return seen.transitioningMessage && seen;
  });
  assert.deepEqual([waits.state, waits.transitioning], ['provisioning', 'yes']);
  assert.match(waits.transitioningMessage, /the role etcd, the role controlplane and the role worker/);
  await using agent = await startAgent({ name: 'first', roles: ['worker', 'etcd'] });
  assert.equal((await agent.state()).state, 'registered');
  const node = await nodeNamed('first');
  assert.deepEqual([node.etcd, node.controlPlane, node.worker, node.imported], [true, false, true, false]);
  assert.deepEqual(node.customConfig.label, { zone: 'a' });
  assert.equal(node.state, 'provisioning');
  assert.ok(!JSON.stringify(node).includes('hostIdentity'), 'its key is nobody’s business');
  await until('the cluster to wait for the rest', async () => {
    const { transitioningMessage } = await cluster();
    return /a host with the role controlplane: run/.test(transitioningMessage);
  });
  await agent.stop();
});

test('a host that is known needs no token; one with another key is not taken for it', async () => {
  await using first = await startAgent({ name: 'known', token: flagOf('token') });
  assert.equal((await first.state()).state, 'registered');
  await first.stop();
  const forget = () =>
    Promise.all(['state.json', 'registered'].map(name => rm(join(first.dir, name), { force: true })));
  await forget();
  await using again = await startAgent({ name: 'known', token: 'x'.repeat(54) }, first.dir);
  assert.equal((await again.state()).state, 'registered');
  await again.stop();
  await forget();
  await using copy = await startAgent({ name: 'known', machineId: 'c'.repeat(32) }, first.dir);
  assert.match(
    (await copy.state()).message ?? '',
    /this host is a copy of known: it has its key, but another machine-id/,
  );
  await copy.stop();
  await using other = await startAgent({ name: 'known' });
  const { state, message = '' } = await other.state();
  assert.equal(state, 'refused');
  assert.match(message, /known is a node of cluster "hosts" already, and this host is another one/);
});

test('what is wrong with a host is told to whoever runs the command', async () => {
  const machineId = (await readFile(join(dir, 'host-1', 'machine-id'), 'utf8')).trim();
  const table: [Host, RegExp][] = [
    [{ name: 'a', token: 'x'.repeat(54) }, /the token is not known, or its time is over/],
    [{ name: 'b', roles: [] }, /the host has no role: append --etcd, --controlplane, --worker/],
    [{ name: 'c', address: '192.0.2.11' }, /192\.0\.2\.11 is the address of first in cluster "hosts" already/],
    [{ name: 'd', address: '127.0.0.1' }, /127\.0\.0\.1 is the host's own loopback/],
    [{ name: 'f', machineId }, /this host is first of this cluster already \(both have the machine-id/],
    [{ name: 'e', serverKey: 'A'.repeat(43) }, /is not the server whose manifest was applied here/],
  ];
  for (const [host, pattern] of table) {
    await using agent = await startAgent(host);
    const { state, message = '' } = await agent.state();
    assert.deepEqual([host.name, state], [host.name, 'refused']);
    assert.match(message, pattern);
    assert.equal(await nodeNamed(host.name), undefined);
  }
});
