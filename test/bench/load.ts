/**
 * Requests to one kube-apiserver over one way or another, and what they took: of the clock, and of the processor in each
 * process on the way.
 */
import type { Connection } from '@drover/kube';
import { type Line, openLine } from './line.ts';
import { cpuUs } from './process-figures.ts';

export interface Way {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly ca: string; readonly cert?: string; readonly key?: string };
  /** Processes whose CPU is counted. */
  readonly pids: readonly number[];
  /** What it is asked for, whatever the others are. */
  readonly asks?: string;
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

/** Asks once over a connection of its own; the answer's bytes. */
export async function askOnce(way: Way, path: string): Promise<number> {
  await using line = await openLine(way);
  return await line.ask(path);
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
  const end = performance.now() + 30_000;
  let asked = 0;
  const worker = async (line: Line) => {
    while (asked++ < 4000 && performance.now() < end) await line.ask(path);
  };
  await using scope = new AsyncDisposableStack();
  await Promise.all((await openLines(scope, way, 8)).map(worker));
}

async function load(way: Way, { path, connections, seconds }: LoadOptions): Promise<Measured> {
  await using scope = new AsyncDisposableStack();
  const lines = await openLines(scope, way, connections);
  const times: number[] = [];
  const before = await Promise.all(way.pids.map(cpuUs));
  const end = performance.now() + seconds * 1000;
  const worker = async (line: Line) => {
    while (performance.now() < end) {
      const started = performance.now();
      await line.ask(path);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(lines.map(worker));
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

/** They end with the scope. */
async function openLines(scope: AsyncDisposableStack, way: Way, count: number): Promise<Line[]> {
  return await Promise.all(Array.from({ length: count }, async () => scope.use(await openLine(way))));
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
