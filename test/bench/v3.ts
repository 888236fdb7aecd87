/**
 * Lists, writes and sign-ins of the v3 API, beside a bare HTTPS server of Node that sends the same bytes: what is between the two is what
 * the API does for each request. And beside the original's rates on the reference machine: as they are, and with how fast this machine was
 * in the same rounds.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { issueCert, makeCa } from '@drover/engine';
import { seedNodes } from '../../packages/server/src/resources/fixture.ts';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { inParallel } from './in-parallel.ts';
import { openLine } from './line.ts';
import { compareLoads, type Measured, type Way } from './load.ts';
import { besideReference, type Connections, speedOf, startReference } from './reference-machine.ts';
import { lower, type Row, row } from './row.ts';

/** Requests a second that the original answers on the reference machine, with two clusters. */
const original: Readonly<Record<string, Readonly<Record<Connections, number>>>> = {
  '/v3/clusters': { 1: 486, 8: 908 },
  '/v3/settings': { 1: 52, 8: 80 },
  '/v3/users': { 1: 654, 8: 1305 },
  '/v3/schemas': { 1: 95, 8: 143 },
  '/v1/management.cattle.io.clusters': { 1: 1016, 8: 1730 },
  '/v1/management.cattle.io.settings': { 1: 133, 8: 199 },
};

const bare = fileURLToPath(new URL('./bare-server.ts', import.meta.url));

export async function run({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  scope.defer(() => rm(dataDir, { recursive: true, force: true }));
  const nodes = quick ? 100 : 1000;
  await (await startServer({ dataDir })).stop();
  await seedNodes(dataDir, nodes);
  const server = scope.use(await startServer({ dataDir }));
  const token = await server.login();
  const rows: Row[] = [];
  const make = async (from: number, to: number) =>
    await inParallel(to - from, async index => {
      await server.ask(token, 'POST', '/v3/clusters', { name: `bench-${from + index}` });
    });
  await make(1, 2);
  const beside = { paths: Object.keys(original), connections: [1, 8] as const, isBesideOriginal: true };
  rows.push(...(await lists(server, { token, ...beside, quick, note: '' })));
  const ofNodes = { token, paths: ['/v3/nodes'], connections: [1, 8] as const, quick, note: ` (${nodes})` };
  rows.push(...(await lists(server, ofNodes)));
  await make(2, 100);
  const clusters = ['/v3/clusters', '/v1/management.cattle.io.clusters'];
  const many = { token, paths: clusters, connections: [1] as const, quick };
  rows.push(
    ...(await lists(server, { ...many, note: ' (100)' })),
    ...(await anew(server, { ...many, note: ' (100)' })),
  );
  await make(100, quick ? 300 : 2000);
  const note = ` (${quick ? 300 : 2000})`;
  rows.push(...(await lists(server, { ...many, note })), ...(await anew(server, { ...many, note })));
  rows.push(
    await rate('create a project role', quick ? 200 : 1000, async index => {
      await server.ask(token, 'POST', '/v3/roleTemplates', { name: `bench ${index}`, context: 'project' });
    }),
  );
  rows.push(
    await rate('sign in with a password', quick ? 16 : 64, async () => {
      const body = { username: 'admin', password: adminPassword, responseType: 'json' };
      const { status } = await server.fetch('POST', '/v3-public/localProviders/local?action=login', { body });
      if (status !== 201) throw new Error(`sign-in answered ${status}`);
    }),
  );
  return rows;
}

interface Lists {
  readonly token: string;
  readonly paths: readonly string[];
  readonly connections: readonly Connections[];
  readonly quick: boolean;
  readonly note: string;
  readonly isBesideOriginal?: boolean;
}

async function lists(server: ServerProcess, how: Lists): Promise<Row[]> {
  const { token, paths, connections, quick, note, isBesideOriginal = false } = how;
  await using scope = new AsyncDisposableStack();
  const ours = wayTo(server, token);
  const answers: Record<string, string> = {};
  for (const path of paths) {
    const { status, body } = await server.fetch('GET', path, { token });
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    answers[path] = JSON.stringify(body);
  }
  const floor = await startBare(answers, scope);
  const reference = isBesideOriginal ? await startReference(scope) : undefined;
  const rows: Row[] = [];
  for (const path of paths)
    for (const count of connections) {
      const options = { path, connections: count, seconds: quick ? 0.5 : 1, rounds: quick ? 1 : 5 };
      const ways = [ours, floor, ...(reference ? [reference] : [])];
      const [own, peer, yardstick] = await compareLoads(ways, options);
      const name = `GET ${path}${note}, ${count} connection${count > 1 ? 's' : ''}`;
      rows.push(
        { name: `${name}`, ours: own!.perSecond, peer: peer!.perSecond, unit: '/s', higherIsBetter: true },
        ...(isBesideOriginal ? besideOriginal({ name, path, count, own: own!, yardstick }) : []),
        { name: `${name}: p50`, ours: own!.p50, peer: peer!.p50, unit: 'ms', higherIsBetter: false },
        { name: `${name}: p95`, ours: own!.p95, peer: peer!.p95, unit: 'ms', higherIsBetter: false },
        { name: `${name}: p99`, ours: own!.p99, peer: peer!.p99, unit: 'ms', higherIsBetter: false },
        { name: `${name}: CPU`, ours: own!.cpu[0]!, peer: peer!.cpu[0]!, unit: 'µs', higherIsBetter: false },
      );
    }
  return rows;
}

interface BesideOriginal {
  readonly name: string;
  readonly path: string;
  readonly count: Connections;
  readonly own: Measured;
  readonly yardstick: Measured | undefined;
}

function besideOriginal({ name, path, count, own: { perSecond }, yardstick }: BesideOriginal): Row[] {
  const beside = (rate: number, peer: string) =>
    row(name, rate, original[path]![count], { unit: '/s', higherIsBetter: true, peer });
  const rows = [beside(perSecond, 'the original on the reference machine')];
  if (yardstick) {
    const speed = speedOf(count, yardstick.perSecond);
    rows.push(beside(perSecond / speed, 'the original, machines taken into account'));
    rows.push(besideReference(count, yardstick.perSecond, `${name}: `));
  }
  return rows;
}

/** How long a list takes of which one has just changed, so that nothing of it can have been made before. */
async function anew(server: ServerProcess, { token, paths, quick, note }: Lists): Promise<Row[]> {
  const { data } = await server.ask(token, 'GET', '/v3/clusters?limit=1');
  const [{ id }] = data as [{ id: string }];
  await using line = await openLine(wayTo(server, token));
  const rows: Row[] = [];
  for (const path of paths) {
    const times: number[] = [];
    // The first of them are those of code that is not compiled yet, and of rows that are read for the first time.
    for (let round = -20; round < (quick ? 40 : 200); round++) {
      await server.ask(token, 'PUT', `/v3/clusters/${id}`, { description: `${path} ${round}` });
      const started = performance.now();
      await line.ask(path);
      if (round >= 0) times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    const at = (part: number) => times[Math.floor(times.length * part)]!;
    const name = `GET ${path}${note} after a change`;
    rows.push(lower(`${name}: p50`, at(0.5), 'ms'), lower(`${name}: p95`, at(0.95), 'ms'));
  }
  return rows;
}

function wayTo({ url: origin, ca, child }: ServerProcess, token: string): Way {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  return { origin, path: '', headers, tls: { ca }, pids: [child.pid!] };
}

async function startBare(answers: Record<string, string>, scope: AsyncDisposableStack): Promise<Way> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  scope.defer(() => rm(dir, { recursive: true, force: true }));
  const ca = await makeCa('bench');
  const { cert, key } = await issueCert(ca, { commonName: 'bare', ips: ['127.0.0.1'], usages: ['server'] });
  const file = join(dir, 'answers.json');
  await writeFile(file, JSON.stringify({ cert, key: key.reveal(), answers }), { mode: 0o600 });
  const child = spawn(process.execPath, [bare, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  scope.defer(() => void child.kill());
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const port = await until('the bare server', () => /listening (\d+)/.exec(output)?.[1], { timeoutMs: 20_000 });
  return { origin: `https://127.0.0.1:${port}`, path: '', headers: {}, tls: { ca: ca.cert }, pids: [child.pid!] };
}

/** So many of them, eight at once. */
async function rate(name: string, count: number, work: (index: number) => Promise<void>): Promise<Row> {
  const started = performance.now();
  await inParallel(count, work, 8);
  return { ...lower(name, (count * 1000) / (performance.now() - started), '/s'), higherIsBetter: true };
}
