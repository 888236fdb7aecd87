/**
 * Proxied requests through the tunnel against the kube-apiserver asked directly, and against a Go reverse proxy over
 * the real remotedialer that does the same work, all in one run.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Resource, until } from '@drover/base';
import { issueCert } from '@drover/engine';
import { configMaps, KubeClient } from '@drover/kube';
import { bundle } from '../../tools/image/bundle.ts';
import { isHere, platforms } from '../../tools/image/platform.ts';
import { programs } from '../../tools/image/programs.ts';
import { type Child, startChild } from '../integration/child.ts';
import { missingApiServer, startApiServer, type TestApiServer } from '../integration/kube-apiserver.ts';
import { peerBinary, startPeer } from '../integration/tunnel-peer.ts';
import { askOnce, compareBulk, compareLoads, directWay, type Measured, type Way } from './load.ts';
import { residentMb } from './process-figures.ts';
import { besideReference, makeOneObject, oneObject } from './reference-machine.ts';
import { lower, type Row, row } from './row.ts';

const root = join(import.meta.dirname, '../..');

export const missing = missingApiServer;

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'drover-bench-'));
  scope.defer(() => rm(dir, { recursive: true, force: true }));
  const api = scope.use(await startApiServer());
  await seed(api);
  const direct = directWay(api.connection);
  const ours = await ourWay(scope, api, dir);
  const go = await goWay(scope, api, dir);
  const rows: Row[] = [];
  for (const connections of [1, 8] as const) {
    const how = { path: oneObject, connections, seconds: quick ? 2 : 4, rounds: quick ? 1 : 3 };
    const [base, got, other] = await compareLoads([direct, ours, ...(go ? [go] : [])], how);
    rows.push(...rowsOf(`at ${connections}`, { base: base!, got: got!, other }));
    rows.push(besideReference(connections, base!.perSecond));
  }
  const [base, got] = await compareBulk([direct, ours], bigList);
  rows.push(row('50 MB list', got!, base, { unit: 'MB/s', higherIsBetter: true }));
  rows.push(lower('agent memory', await residentMb(ours.pids[1]!), 'MB'));
  return rows;
}

function rowsOf(at: string, seen: { base: Measured; got: Measured; other: Measured | undefined }): Row[] {
  const { base, got, other } = seen;
  const name = `proxied GET ${at}`;
  return [
    ...(other
      ? [
          row(name, got.perSecond, other.perSecond, { unit: 'req/s', higherIsBetter: true, peer: 'Go' }),
          row(`${name}, p50`, got.p50, other.p50, { unit: 'ms', peer: 'Go' }),
        ]
      : []),
    row(`${name}, server CPU`, got.cpu[0]!, other?.cpu[0], { unit: 'µs/req', peer: 'Go' }),
    row(`${name}, agent CPU`, got.cpu[1]!, other?.cpu[1], { unit: 'µs/req', peer: 'Go' }),
    row(name, got.perSecond, base.perSecond, { unit: 'req/s', higherIsBetter: true }),
    row(`${name}, p50`, got.p50, base.p50, { unit: 'ms' }),
    row(`${name}, p99`, got.p99, base.p99, { unit: 'ms' }),
  ];
}

async function seed(api: TestApiServer): Promise<void> {
  await makeOneObject(api.connection);
  await using client = new KubeClient(api.connection);
  const data = { a: 'x'.repeat(1_000_000) };
  for (let i = 0; i < 52; i++) {
    const metadata = { name: `big-${i}`, namespace: 'kube-public' };
    const big = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as Resource;
    await until('its namespace', () => client.create(configMaps, big).then(() => true));
  }
}

const bigList = '/api/v1/namespaces/kube-public/configmaps';

async function ourWay(scope: AsyncDisposableStack, api: TestApiServer, dir: string): Promise<Way> {
  const logPath = join(dir, 'hub.log');
  const hub = scope.use(await startChild(process.execPath, [join(root, 'test/bench/proxy-hub.ts')], { logPath }));
  interface Said {
    readonly url: string;
    readonly dir: string;
    readonly id: string;
    readonly token: string;
    readonly bearer: string;
  }
  const said: Said = await until('the server', async () => {
    const line = (await readFile(logPath, 'utf8')).split('\n').find(text => text.startsWith('{"url"'));
    return line === undefined ? undefined : (JSON.parse(line) as Said);
  });
  const ca = await readFile(join(said.dir, 'ca.crt'), 'utf8');
  const agent: Child = scope.use(
    await startChild(
      process.execPath,
      [
        ...(await agentAsShipped(dir)),
        ...['--server', said.url, '--ca-file', join(said.dir, 'ca.crt'), '--kubeconfig', api.kubeconfigPath],
      ],
      { logPath: join(dir, 'agent.log'), env: { ...process.env, ...agentEnv, DROVER_TOKEN: said.token } },
    ),
  );
  const manifest = join(dir, 'import.yaml');
  const run_ = promisify(execFile);
  await run_('curl', ['-sfk', '-o', manifest, `${said.url}/v3/import/${said.token}_${said.id}.yaml`]);
  await run_(api.kubectl, ['--kubeconfig', api.kubeconfigPath, 'apply', '-f', manifest]);
  const headers = { authorization: `Bearer ${said.bearer}` };
  const path = `/k8s/clusters/${said.id}`;
  const way = { origin: said.url, path, headers, tls: { ca }, pids: [hub.pid, agent.pid] };
  await until('the way through', async () => (await askOnce(way, oneObject)) > 0, {
    timeoutMs: 30_000,
    everyMs: 200,
  });
  return way;
}

const { main: agentMain, nodeFlags, env } = programs.find(({ name }) => name === 'agent')!;
const agentEnv = Object.fromEntries(env.map(pair => pair.split('=') as [string, string]));

/** The agent as its image runs it: one bundle, with the image's flags for Node; from source where no image is made for this machine. */
async function agentAsShipped(dir: string): Promise<readonly string[]> {
  const platform = platforms.find(isHere);
  if (!platform) return [...nodeFlags, join(root, agentMain)];
  for (const file of await bundle(agentMain, 'agent', platform)) {
    if (!file.bytes) continue;
    const path = join(dir, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.bytes);
  }
  return [...nodeFlags, join(dir, 'agent/main.mjs')];
}

/** The same work by Go's reverse proxy over the real remotedialer; undefined where there is no Go to build it with. */
async function goWay(scope: AsyncDisposableStack, api: TestApiServer, dir: string): Promise<Way | undefined> {
  if (!(await peerBinary())) return undefined;
  const bearer = 'b'.repeat(64);
  const pair = await issueCert(api.ca, { commonName: 'go', ips: ['127.0.0.1'], usages: ['server'] });
  const file = async (name: string, text: string) => {
    await writeFile(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const token = await impersonatorToken(api);
  const server = scope.use(
    await startPeer(
      ...[
        '-mode',
        'proxy',
        '-cert-file',
        await file('go.crt', pair.cert),
        '-key-file',
        await file('go.key', pair.key.reveal()),
      ],
      ...['-target', api.connection.server, '-ca-file', await file('go-ca.crt', api.ca.cert), '-impersonate', 'bench'],
      ...['-token-file', await file('go.token', token), '-bearer-file', await file('go.bearer', bearer)],
    ),
  );
  const url = `wss://${server.address}/connect`;
  const client = scope.use(await startPeer('-mode', 'client', '-url', url, '-ca-file', join(dir, 'go-ca.crt')));
  const headers = { authorization: `Bearer ${bearer}` };
  const tls = { ca: api.ca.cert };
  return { origin: `https://${server.address}`, path: '/proxy', headers, tls, pids: [server.pid, client.pid] };
}

/** A service account that may do everything, and `bench`, whom it impersonates, too. */
async function impersonatorToken(api: TestApiServer): Promise<string> {
  await using kube = new KubeClient(api.connection);
  const object = (apiVersion: string, kind: string, rest: object) => ({ apiVersion, kind, ...rest }) as Resource;
  const metadata = { name: 'bench', namespace: 'default' };
  await kube.apply(object('v1', 'ServiceAccount', { metadata }), { fieldManager: 'bench' });
  const binding = {
    metadata: { name: 'bench' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [
      { kind: 'ServiceAccount', ...metadata },
      { kind: 'User', name: 'bench', apiGroup: 'rbac.authorization.k8s.io' },
    ],
  };
  await kube.apply(object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', binding), { fieldManager: 'bench' });
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const path = '/api/v1/namespaces/default/serviceaccounts/bench/token';
  return (await kube.request<{ status: { token: string } }>('POST', path, { body })).status.token;
}
