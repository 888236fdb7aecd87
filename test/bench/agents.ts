/**
 * What thousands of agents cost: how long after a restart of the server all of them are back, and the server's memory for
 * each that only stands there. The agents are real dials with registration tokens of their own, many to a process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, until } from '@drover/base';
import { missingApiServer } from '../integration/kube-apiserver.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import type { Crowd } from './agent-crowd.ts';
import { type CrowdCluster, startCrowdCluster } from './crowd-cluster.ts';
import { inspectable, type Memory, memoryOf } from './memory-of.ts';
import { lower, type Row } from './row.ts';

const crowdMain = join(import.meta.dirname, 'agent-crowd.ts');
const settleMs = 5000;
/** Requests at once while clusters are made. */
const makers = 16;

interface RunningCrowd extends AsyncDisposable {
  connected(): number;
}

type Behind = Pick<Crowd, 'tokens' | 'clusterUid' | 'kubeconfig'>;

function startCrowd(server: ServerProcess, behind: Behind): RunningCrowd {
  const child = spawn(process.execPath, [crowdMain], { stdio: ['pipe', 'pipe', 'inherit'] });
  let connected = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    connected = Number(text.trim().split('\n').at(-1));
  });
  const crowd: Crowd = { url: server.url, ca: server.ca, caFile: join(server.dataDir, 'tls/ca.crt'), ...behind };
  child.stdin.end(JSON.stringify(crowd));
  return {
    connected: () => connected,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

interface Registration {
  readonly token: string;
  readonly manifestUrl: string;
}

async function makeClusters(server: ServerProcess, admin: string, count: number): Promise<Registration[]> {
  let next = 0;
  await Promise.all(
    Array.from({ length: makers }, async () => {
      while (next < count)
        await server.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name: `crowd-${next++}` });
    }),
  );
  const registrations = async () => {
    const { data } = await server.ask(admin, 'GET', '/v3/clusterregistrationtokens?limit=-1');
    const found = (data as Partial<Registration>[]).filter(one => one.token && one.manifestUrl);
    return found.length >= count ? (found as Registration[]) : undefined;
  };
  return until('a token of each', registrations, { timeoutMs: 60_000, everyMs: 500 });
}

async function restart(count: number): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-crowd-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startServer({ dataDir });
  stack.use(first);
  const registrations = await makeClusters(first, await first.login(), count);
  const tokens = registrations.map(({ token }) => token);
  const crowd = stack.use(startCrowd(first, { tokens, clusterUid: 'bench' }));
  const all = () => until(`${count} agents`, () => crowd.connected() === count, { timeoutMs: 180_000, everyMs: 50 });
  const began = performance.now();
  await all();
  const cameMs = performance.now() - began;

  const down = performance.now();
  await first.stop();
  await until('the crowd to notice', () => crowd.connected() === 0, { timeoutMs: 30_000 });
  stack.use(await startServer({ dataDir, port: Number(new URL(first.url).port) }));
  const up = performance.now();
  await all();
  return [
    lower(`${count} agents dial in: all connected after`, cameMs / 1000, 's'),
    lower(`restart with ${count} agents: all back after ready`, (performance.now() - up) / 1000, 's'),
    lower(`restart with ${count} agents: all back after the stop`, (performance.now() - down) / 1000, 's'),
  ];
}

/** First `count` tunnels with nothing behind them, then as many whole agents of a cluster with nodes and pods. */
async function memory(count: number): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const cluster = missingApiServer() === undefined ? stack.use(await startCrowdCluster()) : undefined;
  const server = stack.use(await startServer({ env: inspectable }));
  const admin = await server.login();
  const registrations = await makeClusters(server, admin, count);
  const behind = { tokens: registrations.map(({ token }) => token), clusterUid: cluster?.uid ?? 'bench' };
  await sleep(settleMs);
  const empty = await memoryOf(server);
  const rows: Row[] = [];
  const add = (name: string, { heapKb, residentKb }: Memory, before: Memory, more: number) =>
    rows.push(
      lower(`idle agent, ${name}: heap after a collection`, (heapKb - before.heapKb) / more, 'KB'),
      lower(`idle agent, ${name}: resident`, (residentKb - before.residentKb) / more, 'KB'),
    );
  {
    // What the first of them need once, such as code that is compiled and V8's room for what is young, is no cost of each.
    const first = Math.ceil(count / 2);
    await using _first = await tunnels(server, { ...behind, tokens: behind.tokens.slice(0, first) });
    const before = await memoryOf(server);
    await using _rest = await tunnels(server, { ...behind, tokens: behind.tokens.slice(first) });
    add(`one tunnel, each beyond the first ${first}`, await memoryOf(server), before, count - first);
  }
  if (!cluster) {
    process.stderr.write(`  skipped: agents of a cluster with nodes and pods: ${missingApiServer()}\n`);
    return rows;
  }
  await cluster.apply(String((await server.fetch('GET', new URL(registrations[0]!.manifestUrl).pathname)).body));
  await using _crowd = startCrowd(server, { ...behind, kubeconfig: cluster.kubeconfigPath });
  await until('each cluster to be known', () => allKnown(server, admin, cluster), {
    timeoutMs: 300_000,
    everyMs: 1000,
  });
  await sleep(settleMs);
  add(
    `two tunnels, its cluster's ${cluster.nodeCount} nodes and ${cluster.podCount} pods known`,
    await memoryOf(server),
    empty,
    count,
  );
  return rows;
}

/** A crowd without clusters, all of it connected and at rest. */
async function tunnels(server: ServerProcess, behind: Behind): Promise<RunningCrowd> {
  const count = behind.tokens.length;
  const crowd = startCrowd(server, behind);
  await until(`${count} agents`, () => crowd.connected() === count, { timeoutMs: 120_000, everyMs: 50 });
  await sleep(settleMs);
  return crowd;
}

async function allKnown(server: ServerProcess, admin: string, { nodeCount }: CrowdCluster): Promise<boolean> {
  const { data } = await server.ask(admin, 'GET', '/v3/clusters?limit=-1');
  return (data as { state: string; nodeCount?: number }[]).every(
    one => one.state === 'active' && one.nodeCount === nodeCount,
  );
}

export async function run(options: { readonly quick?: boolean } = {}): Promise<Row[]> {
  return [...(await restart(options.quick ? 500 : 2000)), ...(await memory(options.quick ? 200 : 500))];
}
