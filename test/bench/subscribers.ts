/**
 * Thousands of subscribers of many kinds of rights while clusters change: how late each is told, what the server's heap does
 * meanwhile, and that one who does not read is dropped. A minute, or ten with DROVER_SOAK=1.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { sleep, until } from '@drover/base';
import { WebSocket } from 'ws';
import { type ServerProcess, startServer } from '../server-process.ts';
import { inParallel } from './in-parallel.ts';
import { inspectable, memoryOf } from './memory-of.ts';
import { cpuUs } from './process-figures.ts';
import { lower, type Row } from './row.ts';

interface Scale {
  readonly users: number;
  readonly subscribersEach: number;
  readonly clusters: number;
  /** Each user is a member of so many; neighbours share half of theirs. */
  readonly clustersEach: number;
  readonly seconds: number;
}

const whole: Scale = {
  users: 100,
  subscribersEach: 50,
  clusters: 2000,
  clustersEach: 40,
  seconds: process.env['DROVER_SOAK'] ? 600 : 60,
};
const small: Scale = { users: 10, subscribersEach: 20, clusters: 200, clustersEach: 40, seconds: 15 };
const changesPerSecond = 50;
/** Changes under way at once. */
const atOnce = 32;

/** Users by their tokens, each with rights of his own; the last is the admin. */
async function prepare(server: ServerProcess, admin: string, scale: Scale) {
  const clusters: string[] = [];
  await inParallel(scale.clusters, async index => {
    clusters[index] = (await server.ask(admin, 'POST', '/v3/clusters', { name: `watched-${index}` })).id;
  });
  const tokens = [admin];
  await inParallel(scale.users - 1, async index => {
    const user = await server.makeUser(admin, `watcher-${index}`);
    tokens.push(user.token);
    const from = Math.floor((index * scale.clustersEach) / 2);
    for (let i = 0; i < scale.clustersEach; i++) {
      const clusterId = clusters[(from + i) % clusters.length]!;
      const body = { clusterId, roleTemplateId: 'cluster-member', userId: user.id };
      await server.ask(admin, 'POST', '/v3/clusterroletemplatebindings', body);
    }
  });
  return { clusters, tokens };
}

/** How many frames came how late, by the millisecond. */
class Lags {
  readonly #counts = new Uint32Array(60_000);
  count = 0;

  reset(): void {
    this.#counts.fill(0);
    this.count = 0;
  }

  note(ms: number): void {
    this.#counts[Math.min(this.#counts.length - 1, Math.max(0, Math.round(ms)))]!++;
    this.count++;
  }

  percentile(part: number): number {
    let seen = 0;
    return this.#counts.findIndex(count => (seen += count) >= this.count * part);
  }
}

async function subscribe(server: ServerProcess, token: string): Promise<WebSocket> {
  const url = `${server.url.replace('https', 'wss')}/v3/subscribe?resourceTypes=cluster`;
  const socket = new WebSocket(url, {
    ca: server.ca,
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

/** Changes clusters, so many a second, until the time is over; each says when it was asked for. */
async function change(
  server: ServerProcess,
  admin: string,
  { clusters, seconds }: { clusters: readonly string[]; seconds: number },
): Promise<number> {
  const began = performance.now();
  const running = new Set<Promise<unknown>>();
  let made = 0;
  while (performance.now() - began < seconds * 1000) {
    const due = ((performance.now() - began) / 1000) * changesPerSecond;
    for (; made < due && running.size < atOnce; made++) {
      const id = clusters[(made * 7) % clusters.length]!;
      const asked = server.ask(admin, 'PUT', `/v3/clusters/${id}`, { description: `at ${performance.now()} ms` });
      running.add(asked);
      void asked.finally(() => running.delete(asked));
    }
    await sleep(5);
  }
  await Promise.all(running);
  return made / seconds;
}

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  const scale = quick ? small : whole;
  await using server = await startServer({ env: inspectable });
  const admin = await server.login();
  const { clusters, tokens } = await prepare(server, admin, scale);
  const sockets: WebSocket[] = [];
  using _ = { [Symbol.dispose]: () => void sockets.map(socket => socket.terminate()) };
  const lags = new Lags();
  const began = performance.now();
  let open = 0;
  await inParallel(tokens.length * scale.subscribersEach, async index => {
    const socket = await subscribe(server, tokens[index % tokens.length]!);
    open++;
    socket.on('close', () => open--);
    socket.on('message', data => {
      const at = /"description":"at ([\d.]+) ms"/.exec(String(data))?.[1];
      if (at !== undefined) lags.note(performance.now() - Number(at));
    });
    sockets.push(socket);
  });
  const openedMs = performance.now() - began;
  const all = open;
  // It sees every change, and after this it takes none of them.
  const stuck = await subscribe(server, admin);
  sockets.push(stuck);
  const raw = (stuck as unknown as { readonly _socket: Socket })._socket;
  raw.pause();

  const first = scale.seconds / 5;
  await change(server, admin, { clusters, seconds: first });
  lags.reset();
  const before = await memoryOf(server);
  const cpuBefore = await cpuUs(server.child.pid!);
  const rate = await change(server, admin, { clusters, seconds: scale.seconds - first });
  const cpu = (await cpuUs(server.child.pid!)) - cpuBefore;
  const after = await memoryOf(server);
  if (open !== all) throw new Error(`${all - open} of ${all} subscribers were lost:\n${server.output.slice(-2000)}`);
  await until('the one that does not read to be dropped', () => /a subscriber was dropped/.test(server.output), {
    timeoutMs: 90_000,
    everyMs: 500,
  });
  const name = `${all} subscribers, ${tokens.length} sets of rights, ${clusters.length} clusters, ${Math.round(rate)} changes a second`;
  return [
    lower(`${name}: told after, p50`, lags.percentile(0.5), 'ms'),
    lower(`${name}: told after, p95`, lags.percentile(0.95), 'ms'),
    lower(`${name}: told after, p99`, lags.percentile(0.99), 'ms'),
    { ...lower(`${name}: frames`, lags.count / (scale.seconds - first), '/s'), higherIsBetter: true },
    lower(`${name}: server CPU`, cpu / 1e4 / (scale.seconds - first), '%'),
    lower(`${name}: heap`, after.heapKb / 1024, 'MB'),
    lower(`${name}: heap grew over ${scale.seconds - first} s`, (after.heapKb / before.heapKb - 1) * 100, '%'),
    lower(`${name}: all open after`, openedMs / 1000, 's'),
  ];
}
