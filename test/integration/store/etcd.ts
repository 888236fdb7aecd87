/** Starts a real etcd on free loopback ports and a folder of its own, and ends it with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@drover/base';

/** The etcds of this machine by a name to print: Debian's, and the one built beside Kubernetes. */
export function etcdBinaries(): { readonly name: string; readonly path: string }[] {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drover', 'kubernetes');
  const built = existsSync(cache) ? readdirSync(cache).map(version => join(cache, version, 'etcd')) : [];
  return [
    { name: 'etcd of the system', path: '/usr/bin/etcd' },
    { name: 'etcd built with Kubernetes', path: built.find(existsSync) ?? '' },
  ].filter(({ path }) => existsSync(path));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class Etcd implements AsyncDisposable {
  readonly endpoint: string;
  readonly #path: string;
  readonly #args: readonly string[];
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(path: string, folder: string, options: { endpoint: string; args: readonly string[] }) {
    this.#path = path;
    this.#folder = folder;
    this.endpoint = options.endpoint;
    this.#args = options.args;
  }

  static async start(path: string, args: readonly string[] = [], scheme = 'http'): Promise<Etcd> {
    const folder = await mkdtemp(join(tmpdir(), 'drover-etcd-'));
    const [client, peer] = [await freePort(), await freePort()];
    const endpoint = `${scheme}://127.0.0.1:${client}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    const all = [
      ...['--data-dir', folder, '--name', 'one', '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...[
        '--listen-peer-urls',
        peerUrl,
        '--initial-advertise-peer-urls',
        peerUrl,
        '--initial-cluster',
        `one=${peerUrl}`,
      ],
      ...args,
    ];
    const etcd = new Etcd(path, folder, { endpoint, args: all });
    await etcd.restart();
    return etcd;
  }

  /** Starts it (again) on the same data and the same ports. */
  async restart(): Promise<void> {
    const child = spawn(this.#path, this.#args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', chunk => {
      said += chunk;
    });
    const { port, protocol } = new URL(this.endpoint);
    await until(
      `etcd on ${this.endpoint}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`etcd ended: ${said}`);
        if (protocol === 'http:') return (await fetch(`${this.endpoint}/health`)).ok;
        // Only those with a certificate may ask for its health: that it listens must do.
        const socket = connect(Number(port), '127.0.0.1');
        await once(socket, 'connect');
        socket.destroy();
        return true;
      },
      { timeoutMs: 20_000 },
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
