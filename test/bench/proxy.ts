/**
 * Proxied requests through the tunnel against the kube-apiserver asked directly, and against a Go reverse proxy over
 * the real remotedialer that does the same work, all in one run.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Resource } from '@drover/base';
import { issueCert } from '@drover/engine';
import { KubeClient } from '@drover/kube';
import { missingApiServer, type TestApiServer } from '../integration/kube-apiserver.ts';
import { peerBinary, startPeer } from '../integration/tunnel-peer.ts';
import { compareLoads, type Measured, type Way } from './load.ts';
import { residentMb } from './process-figures.ts';
import { startTwoWays } from './proxy-way.ts';
import { besideReference, type Connections, oneObject, speedOf } from './reference-machine.ts';
import { lower, type Row, row } from './row.ts';

export const missing = missingApiServer;

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  await using scope = new AsyncDisposableStack();
  const { api, dir, direct, ours } = await startTwoWays(scope);
  const go = await goWay(scope, api, dir);
  const rows: Row[] = [];
  for (const connections of [1, 8] as const) {
    const how = { path: oneObject, connections, seconds: quick ? 2 : 4, rounds: quick ? 1 : 3 };
    const [base, got, other] = await compareLoads([direct, ours, ...(go ? [go] : [])], how);
    rows.push(...rowsOf(`at ${connections}`, { base: base!, got: got!, other }));
    rows.push(besideReference(connections, base!.perSecond), ...besideAims(connections, base!, got!));
  }
  rows.push(lower('agent memory', await residentMb(ours.pids[1]!), 'MB'));
  return rows;
}

/** µs of the processor for each request that are aimed at on the reference machine. */
const aims = { server: 120, agent: 100 } as const;

function besideAims(connections: Connections, base: Measured, got: Measured): Row[] {
  const speed = speedOf(connections, base.perSecond);
  const how = { unit: 'µs/req', peer: 'the aim, machines taken into account' };
  const name = `proxied GET at ${connections}`;
  return [
    row(`${name}, server CPU`, got.cpu[0]! * speed, aims.server, how),
    row(`${name}, agent CPU`, got.cpu[1]! * speed, aims.agent, how),
  ];
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
