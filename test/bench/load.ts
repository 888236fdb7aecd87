/**
 * Requests to one kube-apiserver over one way or another, and what they took: of the clock, and of the processor in each
 * process on the way.
 */
import type { Connection } from '@drover/kube';
import { Pool } from 'undici';
import { cpuUs } from './process-figures.ts';

export interface Way {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
  /** Processes whose CPU is counted. */
  readonly pids: readonly number[];
}

export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** µs per request, by process. */
  readonly cpu: readonly number[];
}

export interface LoadOptions {
  /** Of the object to read, as the kube-apiserver knows it. */
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Each way is measured so many times, in turn with the others; what counts is the median. */
  readonly rounds: number;
}

/** To a kube-apiserver itself, by its client certificate. */
export function directWay({ server, ca, clientCert, clientKey }: Connection): Way {
  const tls = { ca: ca!, cert: clientCert!, key: clientKey!.reveal() };
  return { origin: server, path: '', headers: {}, tls, pids: [] };
}

/** Connections over that way, which whoever opens them ends. */
export function poolOf(way: Way, connections: number): Pool {
  return new Pool(way.origin, { connections, connect: { ...way.tls, rejectUnauthorized: true } });
}

/** Asks once over a connection of its own; the answer's bytes. */
export async function askOnce(way: Way, path: string): Promise<number> {
  await using scope = new AsyncDisposableStack();
  const pool = poolOf(way, 1);
  scope.defer(() => pool.destroy());
  return await ask(way, pool, path);
}

/** Asks over one of the way's connections; the answer's bytes, which are read and not looked at. */
export async function ask(way: Way, pool: Pool, path: string): Promise<number> {
  const { statusCode, body } = await pool.request({ method: 'GET', path: way.path + path, headers: way.headers });
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) bytes += chunk.length;
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  return bytes;
}

/** The ways side by side: what the machine does besides then hits all of them alike. */
export async function compareLoads(ways: readonly Way[], options: LoadOptions): Promise<Measured[]> {
  const seen: Measured[][] = ways.map(() => []);
  for (const way of ways) await warmUp(way, options.path);
  for (let round = 0; round < options.rounds; round++)
    for (const [i, way] of ways.entries()) seen[i]!.push(await load(way, options));
  return seen.map(rounds => ({
    perSecond: median(rounds.map(one => one.perSecond)),
    p50: median(rounds.map(one => one.p50)),
    p95: median(rounds.map(one => one.p95)),
    p99: median(rounds.map(one => one.p99)),
    cpu: rounds[0]!.cpu.map((_, i) => median(rounds.map(one => one.cpu[i]!))),
  }));
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** The figures are those of code that runs all day: compiled, which takes some thousand requests. */
async function warmUp(way: Way, path: string): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const pool = poolOf(way, 8);
  scope.defer(() => pool.destroy());
  const end = performance.now() + 30_000;
  let asked = 0;
  const worker = async () => {
    while (asked++ < 4000 && performance.now() < end) await ask(way, pool, path);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function load(way: Way, { path, connections, seconds }: LoadOptions): Promise<Measured> {
  await using scope = new AsyncDisposableStack();
  const pool = poolOf(way, connections);
  scope.defer(() => pool.destroy());
  const times: number[] = [];
  const before = await Promise.all(way.pids.map(cpuUs));
  const end = performance.now() + seconds * 1000;
  const worker = async () => {
    while (performance.now() < end) {
      const started = performance.now();
      await ask(way, pool, path);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const after = await Promise.all(way.pids.map(cpuUs));
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / seconds,
    p50: times[Math.floor(times.length * 0.5)]!,
    p95: times[Math.floor(times.length * 0.95)]!,
    p99: times[Math.floor(times.length * 0.99)]!,
    cpu: after.map((us, i) => (us - before[i]!) / times.length),
  };
}

export interface MeasuredBulk {
  readonly mbPerSecond: number;
  /** ms for each answer, by process. */
  readonly cpuMs: readonly number[];
}

/** One large answer over each way, in turn; the medians of so many rounds, after one that does not count. */
export async function compareBulk(ways: readonly Way[], path: string, rounds: number): Promise<MeasuredBulk[]> {
  const seen: MeasuredBulk[][] = ways.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, way] of ways.entries()) {
      const before = await Promise.all(way.pids.map(cpuUs));
      const started = performance.now();
      const bytes = await askOnce(way, path);
      const mbPerSecond = bytes / 1e3 / (performance.now() - started);
      const after = await Promise.all(way.pids.map(cpuUs));
      if (round > 0) seen[i]!.push({ mbPerSecond, cpuMs: after.map((us, at) => (us - before[at]!) / 1000) });
    }
  }
  return ways.map(({ pids }, i) => ({
    mbPerSecond: median(seen[i]!.map(one => one.mbPerSecond)),
    cpuMs: pids.map((_, at) => median(seen[i]!.map(one => one.cpuMs[at]!))),
  }));
}
