/**
 * What thousands of agents cost: the server's memory for each tunnel that only stands there, and how long after a restart
 * of the server all of them are back. The agents are real dials with registration tokens of their own, many to a process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, until } from '@drover/base';
import { type ServerProcess, startServer } from '../server-process.ts';
import type { Row } from './row.ts';
import { residentMb } from './start.ts';

const crowdMain = join(import.meta.dirname, 'agent-crowd.ts');
const settleMs = 5000;
/** Requests at once while clusters are made. */
const makers = 16;

interface Crowd extends AsyncDisposable {
  connected(): number;
}

function startCrowd(server: ServerProcess, tokens: readonly string[]): Crowd {
  const child = spawn(process.execPath, [crowdMain], { stdio: ['pipe', 'pipe', 'inherit'] });
  let connected = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    connected = Number(text.trim().split('\n').at(-1));
  });
  child.stdin.end(JSON.stringify({ url: server.url, ca: server.ca, tokens }));
  return {
    connected: () => connected,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function makeClusters(server: ServerProcess, admin: string, count: number): Promise<string[]> {
  let next = 0;
  await Promise.all(
    Array.from({ length: makers }, async () => {
      while (next < count)
        await server.ask(admin, 'POST', '/v3/clusters', { type: 'cluster', name: `crowd-${next++}` });
    }),
  );
  const tokens = async () => {
    const { data } = await server.ask(admin, 'GET', '/v3/clusterregistrationtokens?limit=-1');
    const found = (data as { readonly token?: string }[]).flatMap(({ token }) => token || []);
    return found.length >= count ? found : undefined;
  };
  return until('a token of each', tokens, { timeoutMs: 60_000, everyMs: 500 });
}

export async function run(options: { readonly quick?: boolean } = {}): Promise<Row[]> {
  const count = options.quick ? 500 : 2000;
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-crowd-'));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startServer({ dataDir });
  stack.use(first);
  const tokens = await makeClusters(first, await first.login(), count);
  await sleep(settleMs);
  const before = await residentMb(first.child.pid!);
  const crowd = stack.use(startCrowd(first, tokens));
  const all = () => until(`${count} agents`, () => crowd.connected() === count, { timeoutMs: 180_000, everyMs: 50 });
  const began = performance.now();
  await all();
  const cameMs = performance.now() - began;
  await sleep(settleMs);
  const perAgentKb = (((await residentMb(first.child.pid!)) - before) * 1024) / count;

  const down = performance.now();
  await first.stop();
  await until('the crowd to notice', () => crowd.connected() === 0, { timeoutMs: 30_000 });
  stack.use(await startServer({ dataDir, port: Number(new URL(first.url).port) }));
  const up = performance.now();
  await all();
  const backMs = performance.now() - up;
  const row = (name: string, ours: number, unit: string): Row => ({ name, ours, unit, higherIsBetter: false });
  return [
    row(`${count} agents dial in: all connected after`, cameMs / 1000, 's'),
    row('idle agent: server memory, tunnel and cluster record', perAgentKb, 'KB'),
    row(`restart with ${count} agents: all back after ready`, backMs / 1000, 's'),
    row(`restart with ${count} agents: all back after the stop`, (performance.now() - down) / 1000, 's'),
  ];
}
