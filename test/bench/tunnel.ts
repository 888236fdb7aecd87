/**
 * Our tunnel against Go's remotedialer: the same work through each, in turns, in one run, each end a process of its
 * own. CPU comes from /proc, so the load that the server process makes for itself is counted on both sides.
 */

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Child, noGo, peerBinary, startChild, startPeer } from '../integration/tunnel-peer.ts';
import { cpuUs, residentMb } from './process-figures.ts';
import type { Row } from './row.ts';

interface Pair {
  readonly server: Child;
  readonly client: Child;
}

interface Figures {
  readonly perSecond: number;
  readonly failed: number;
  readonly serverUs: number;
  readonly clientUs: number;
}

const end = join(import.meta.dirname, 'tunnel-end.ts');

async function startOurs(stack: AsyncDisposableStack): Promise<Pair> {
  const server = stack.use(await startChild(process.execPath, [end, 'server']));
  const url = `ws://${server.address}/connect`;
  return { server, client: stack.use(await startChild(process.execPath, [end, 'client', url])) };
}

async function startTheirs(stack: AsyncDisposableStack): Promise<Pair> {
  const server = stack.use(await startPeer('-mode', 'server'));
  const url = `ws://${server.address}/connect`;
  return { server, client: stack.use(await startPeer('-mode', 'client', '-url', url)) };
}

const residentKb = async ({ pid }: Child): Promise<number> => (await residentMb(pid)) * 1024;

async function load(pair: Pair, query: Record<string, string | number>): Promise<Figures> {
  const before = [await cpuUs(pair.server.pid!), await cpuUs(pair.client.pid!)];
  const text = new URLSearchParams({ key: 'c-one', ...query } as Record<string, string>);
  const answer = await fetch(`http://${pair.server.address}/load?${text}`);
  const { done, failed, ms } = (await answer.json()) as { done: number; failed: number; ms: number };
  return {
    perSecond: (done / ms) * 1000,
    failed,
    serverUs: ((await cpuUs(pair.server.pid!)) - before[0]!) / done,
    clientUs: ((await cpuUs(pair.client.pid!)) - before[1]!) / done,
  };
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

async function compare(
  pairs: { ours: Pair; peer: Pair },
  query: Record<string, string | number>,
  rounds: number,
): Promise<{ ours: Figures; peer: Figures }> {
  const ours: Figures[] = [];
  const peer: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await load(pairs.ours, query));
    peer.push(await load(pairs.peer, query));
  }
  return { ours: middle(ours), peer: middle(peer) };
}

function middle(figures: Figures[]): Figures {
  const of = (pick: (one: Figures) => number) => median(figures.map(pick));
  return {
    perSecond: of(one => one.perSecond),
    failed: figures.reduce((sum, one) => sum + one.failed, 0),
    serverUs: of(one => one.serverUs),
    clientUs: of(one => one.clientUs),
  };
}

export const missing = async () => ((await peerBinary()) ? undefined : noGo);

/** Rows of our tunnel beside the Go peer's. `quick` takes a tenth of the time. */
export async function run(options: { quick?: boolean } = {}): Promise<Row[]> {
  const ms = options.quick ? 600 : 5000;
  const rounds = options.quick ? 1 : 3;
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await startPeer('-mode', 'backend'));
  const pairs = { ours: await startOurs(stack), peer: await startTheirs(stack) };
  const address = backend.address;
  const rows: Row[] = [];
  const add = (name: string, unit: string, higherIsBetter: boolean, pick: (one: Figures) => number, seen: Seen) =>
    rows.push({ name, ours: pick(seen.ours), peer: pick(seen.peer), unit, higherIsBetter });

  await load(pairs.ours, { kind: 'kept', connections: 8, ms: 1500, address });
  for (const kind of ['kept', 'short'])
    for (const connections of [1, 8]) {
      const seen = await compare(pairs, { kind, connections, ms, address }, rounds);
      const name = `tunnel, ${kind === 'kept' ? 'kept' : 'fresh'} streams, ${connections} at once`;
      add(name, 'requests/s', true, one => one.perSecond, seen);
      add(`${name}: server CPU`, 'µs', false, one => one.serverUs, seen);
      add(`${name}: client CPU`, 'µs', false, one => one.clientUs, seen);
      add(`${name}: failed`, 'requests', false, one => one.failed, seen);
    }
  const bytes = options.quick ? 2 ** 27 : 2 ** 30;
  const bulk = await compare(pairs, { kind: 'bulk', connections: 1, bytes, address }, rounds);
  add('tunnel, one way', 'MB/s', true, one => one.perSecond / 1e6, bulk);
  add('tunnel, one way: server CPU', 's/GB', false, one => one.serverUs * 1e3, bulk);
  add('tunnel, one way: client CPU', 's/GB', false, one => one.clientUs * 1e3, bulk);
  rows.push(...(await idle(address)));
  return rows;
}

type Seen = { ours: Figures; peer: Figures };

/** What 500 streams that do nothing cost in resident memory, at each end. */
async function idle(address: string): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const grown: { server: number; client: number }[] = [];
  const connections = 500;
  // Fresh processes: what the load before has grown and freed would hide the difference.
  for (const pair of [await startOurs(stack), await startTheirs(stack)]) {
    await load(pair, { kind: 'idle', connections: 20, address });
    await pause(500);
    const before = [await residentKb(pair.server), await residentKb(pair.client)];
    await load(pair, { kind: 'idle', connections, address });
    await pause(500);
    grown.push({
      server: ((await residentKb(pair.server)) - before[0]!) / connections,
      client: ((await residentKb(pair.client)) - before[1]!) / connections,
    });
  }
  return (['server', 'client'] as const).map(side => ({
    name: `tunnel, idle stream: ${side} memory`,
    ours: grown[0]![side],
    peer: grown[1]![side],
    unit: 'KB',
    higherIsBetter: false,
  }));
}

if (import.meta.main) {
  for (const row of await run({ quick: process.argv.includes('--quick') })) {
    const ratio = row.peer ? `  peer ${row.peer.toFixed(1)}  ratio ${(row.ours / row.peer).toFixed(2)}` : '';
    console.log(`${row.name.padEnd(48)} ${row.ours.toFixed(1)} ${row.unit}${ratio}`);
  }
}
