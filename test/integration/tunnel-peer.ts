/**
 * The real Go remotedialer as a child process, built once into the cache by a hash of its sources. Undefined where
 * there is no Go to build it with: the tests then skip and say so.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const sources = join(import.meta.dirname, '../../tools/remotedialer-peer');

export const noGo = 'needs Go to build the remotedialer peer';

let building: Promise<string | undefined> | undefined;

/** Path of the built peer. */
export function peerBinary(): Promise<string | undefined> {
  building ??= build();
  return building;
}

async function build(): Promise<string | undefined> {
  const hash = createHash('sha256');
  for (const name of (await readdir(sources)).sort()) hash.update(name).update(await readFile(join(sources, name)));
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'drover/tools', `remotedialer-peer-${hash.digest('hex').slice(0, 16)}`);
  const binary = join(folder, 'remotedialer-peer');
  if (existsSync(binary)) return binary;
  const run = promisify(execFile);
  try {
    await run('go', ['version']);
  } catch {
    return undefined;
  }
  await mkdir(folder, { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  await run('go', ['build', '-trimpath', '-o', fresh, '.'], {
    cwd: sources,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
  });
  await rename(fresh, binary);
  return binary;
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** HOST:PORT that it printed as listening. */
  readonly address: string;
  readonly process: ChildProcess;
}

/** Starts a program that prints "listening HOST:PORT" (or "connected" for a client) and waits for that line. */
export async function startChild(command: string, args: readonly string[]): Promise<Child> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', chunk => {
    errors = (errors + chunk).slice(-4000);
  });
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', line => {
      if (line.startsWith('listening ')) resolve(line.slice('listening '.length));
      if (line === 'connected') resolve('');
    });
    child.once('error', reject);
    void exited.then(() => reject(new Error(`${command} ended before it was ready: ${errors}`)));
  });
  return {
    pid: child.pid!,
    address,
    process: child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The Go peer with these flags; call only when peerBinary() gave a path. */
export async function startPeer(...flags: string[]): Promise<Child> {
  return startChild((await peerBinary())!, flags);
}
