/**
 * A real etcd and kube-apiserver pair on free loopback ports, with certificates and data in a temporary directory. No
 * controllers run: what is created stays as it is, service accounts must be made by the test, and the aggregated roles
 * (view, edit, admin) are empty.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { internal, Secret, until } from '@drover/base';
import { type CertPair, ensureCa, ensureCert, ensureKeyPair, issueCert } from '@drover/engine';
import { type Connection, KubeClient } from '@drover/kube';
import { type Child, startChild } from './child.ts';
import { findKubeBinaries, missingKubeBinaries } from './kube-binaries.ts';

export interface TestApiServer extends AsyncDisposable {
  /** As `system:masters`, by client certificate. */
  readonly connection: Connection;
  readonly kubeconfigPath: string;
  readonly kubectl: string;
  readonly dir: string;
  readonly ca: CertPair;
  /** A user in these groups, by a client certificate of their own. RBAC gives nothing to either yet. */
  makeUserConnection(user: string, groups?: readonly string[]): Promise<Connection>;
  /** Ends the kube-apiserver at once (or with the given signal); etcd and the data stay. */
  stopServer(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again at the same address. */
  startServer(): Promise<void>;
  /** Makes etcd forget all revisions but the present one, so that old resourceVersions are Expired. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

/** Why tests that need this pair are skipped here; undefined when they can run. */
export function missingApiServer(): string | undefined {
  return missingKubeBinaries('etcd', 'kube-apiserver');
}

/** Starts the pair and waits until it is ready, a few seconds. `flags` are added to kube-apiserver's. */
export async function startApiServer(options: { readonly flags?: readonly string[] } = {}): Promise<TestApiServer> {
  const bin = findKubeBinaries('etcd', 'kube-apiserver');
  if (!bin) throw internal(missingApiServer() ?? 'no binaries');
  const dir = await mkdtemp(join(tmpdir(), 'drover-apiserver-'));
  const running: { etcd?: Child; server?: Child } = {};
  const stop = async () => {
    await running.server?.[Symbol.asyncDispose]();
    await running.etcd?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const pki = await makePki(dir);
    const etcd = await startEtcd(bin, dir);
    running.etcd = etcd.child;
    const port = await freePort();
    const connection = userConnection(port, pki.ca, pki.admin);
    const startServer = async () => {
      running.server = await startChild(
        join(bin, 'kube-apiserver'),
        [...serverFlags(dir, port, etcd.url), ...(options.flags ?? [])],
        { logPath: join(dir, 'kube-apiserver.log') },
      );
      await waitReady(connection, running.server);
    };
    await startServer();
    const kubeconfigPath = join(dir, 'kubeconfig');
    await writeFile(kubeconfigPath, formatAdmin(connection), { mode: 0o600 });
    return {
      connection,
      kubeconfigPath,
      kubectl: join(bin, 'kubectl'),
      dir,
      ca: pki.ca,
      async makeUserConnection(user, groups = []) {
        const pair = await issueCert(pki.ca, { commonName: user, organizations: groups, usages: ['client'] });
        return userConnection(port, pki.ca, pair);
      },
      async stopServer(signal = 'SIGKILL') {
        running.server?.kill(signal);
        await running.server?.exited;
      },
      startServer,
      compact: () => compactEtcd(etcd.url),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makePki(dir: string): Promise<{ ca: CertPair; admin: CertPair }> {
  const ca = await ensureCa(dir, 'ca', 'test-kubernetes');
  const dnsNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const ips = ['127.0.0.1', '::1', '10.0.0.1'];
  await ensureCert(dir, 'server', { ca, request: { commonName: 'kube-apiserver', dnsNames, ips, usages: ['server'] } });
  await ensureKeyPair(dir, 'service-account');
  const admin = { commonName: 'test-admin', organizations: ['system:masters'], usages: ['client' as const] };
  return { ca, admin: await issueCert(ca, admin) };
}

function serverFlags(dir: string, port: number, etcdUrl: string): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(dir, 'server.crt')}`,
    `--tls-private-key-file=${join(dir, 'server.key')}`,
    `--cert-dir=${dir}`,
    `--client-ca-file=${join(dir, 'ca.crt')}`,
    `--service-account-issuer=https://kubernetes.default.svc`,
    `--service-account-key-file=${join(dir, 'service-account.pub')}`,
    `--service-account-signing-key-file=${join(dir, 'service-account.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    // Without a controller-manager no namespace gets its default service account, which this plugin waits for.
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
    '--shutdown-watch-termination-grace-period=1s',
  ];
}

/** Two tests may pick the same free port; the one that loses it tries another. */
async function startEtcd(bin: string, dir: string): Promise<{ child: Child; url: string }> {
  for (let attempt = 1; ; attempt++) {
    const url = `http://127.0.0.1:${await freePort()}`;
    const peerUrl = `http://127.0.0.1:${await freePort()}`;
    const child = await startChild(
      join(bin, 'etcd'),
      [
        `--data-dir=${join(dir, 'etcd')}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
      { logPath: join(dir, 'etcd.log') },
    );
    const up = until('etcd', async () => (await fetch(`${url}/health`)).ok, { timeoutMs: 30_000 });
    const ended = child.exited.then(code => code);
    if ((await Promise.race([up, ended])) === true) return { child, url };
    up.catch(() => {});
    if (attempt === 3) throw internal(`etcd ended: ${await child.tail()}`);
  }
}

async function waitReady(connection: Connection, server: Child): Promise<void> {
  await using client = new KubeClient(connection);
  const stop = new AbortController();
  const failed = server.exited.then(async code => {
    stop.abort(internal(`kube-apiserver ended with ${code}: ${await server.tail()}`));
  });
  await Promise.race([
    until('kube-apiserver to be ready', () => client.ready({ timeoutMs: 2000 }).then(() => true), {
      timeoutMs: 90_000,
      everyMs: 50,
      signal: stop.signal,
    }),
    failed,
  ]);
  stop.signal.throwIfAborted();
}

function userConnection(port: number, ca: CertPair, { cert, key }: CertPair): Connection {
  return { server: `https://127.0.0.1:${port}`, ca: ca.cert, clientCert: cert, clientKey: key };
}

function formatAdmin({ server, ca, clientCert, clientKey }: Connection): string {
  const base64 = (value: string | Secret | undefined) =>
    Buffer.from(value instanceof Secret ? value.reveal() : (value ?? '')).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [
      { name: 'admin', user: { 'client-certificate-data': base64(clientCert), 'client-key-data': base64(clientKey) } },
    ],
  });
}

/** Through etcd's JSON gateway: the present revision, then compaction up to it. */
async function compactEtcd(url: string): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as { header: { revision: string } };
  };
  const { header } = await post('kv/range', { key: Buffer.from('/').toString('base64') });
  await post('kv/compaction', { revision: header.revision, physical: true });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
