/**
 * Lists, single objects, writes and sign-ins of the v3 API, beside a bare HTTPS server of Node that sends the same bytes: what is
 * between the two is what the API does for each request.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { issueCert, makeCa } from '@drover/engine';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { inParallel } from './in-parallel.ts';
import { compareLoads, type Way } from './load.ts';
import { lower, type Row } from './row.ts';

const bare = fileURLToPath(new URL('./bare-server.ts', import.meta.url));

export async function run({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  await using server = await startServer();
  const token = await server.login();
  const rows: Row[] = [];
  const make = async (from: number, to: number) =>
    await inParallel(to - from, async index => {
      await server.ask(token, 'POST', '/v3/clusters', { name: `bench-${from + index}` });
    });
  await make(0, 2);
  const small = ['/v3/clusters', '/v3/settings', '/v3/users', '/v3/schemas', '/v1/management.cattle.io.settings'];
  rows.push(...(await lists(server, { token, paths: small, connections: [1, 8], quick, note: '' })));
  await make(2, 100);
  const clusters = ['/v3/clusters', '/v1/management.cattle.io.clusters'];
  const many = { token, paths: clusters, connections: [1], quick };
  rows.push(...(await lists(server, { ...many, note: ' (100)' })));
  await make(100, quick ? 300 : 2000);
  rows.push(...(await lists(server, { ...many, note: ` (${quick ? 300 : 2000})` })));
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
  readonly connections: readonly number[];
  readonly quick: boolean;
  readonly note: string;
}

async function lists(server: ServerProcess, { token, paths, connections, quick, note }: Lists): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  const ours: Way = { origin: server.url, path: '', headers, tls: { ca: server.ca }, pids: [server.child.pid!] };
  const answers: Record<string, string> = {};
  for (const path of paths) {
    const { status, body } = await server.fetch('GET', path, { token });
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    answers[path] = JSON.stringify(body);
  }
  const floor = await startBare(answers, scope);
  const rows: Row[] = [];
  for (const path of paths)
    for (const count of connections) {
      const options = { path, connections: count, seconds: quick ? 0.5 : 3, rounds: quick ? 1 : 3 };
      const [own, peer] = await compareLoads([ours, floor], options);
      const name = `GET ${path}${note}, ${count} connection${count > 1 ? 's' : ''}`;
      rows.push(
        { name: `${name}`, ours: own!.perSecond, peer: peer!.perSecond, unit: '/s', higherIsBetter: true },
        { name: `${name}: p50`, ours: own!.p50, peer: peer!.p50, unit: 'ms', higherIsBetter: false },
        { name: `${name}: p99`, ours: own!.p99, peer: peer!.p99, unit: 'ms', higherIsBetter: false },
        { name: `${name}: CPU`, ours: own!.cpu[0]!, peer: peer!.cpu[0]!, unit: 'µs', higherIsBetter: false },
      );
    }
  return rows;
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
