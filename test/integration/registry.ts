/** A real image registry for tests: CNCF distribution, built from its Go module once and kept in the cache. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, until } from '@drover/base';
import { cacheDir, root } from '../../tools/root.ts';

const moduleDir = join(root, 'tools/registry');
const command = 'github.com/distribution/distribution/v3/cmd/registry';

/** The registry's binary, or why there is none here. */
export async function registryBinary(): Promise<{ path: string } | { missing: string }> {
  const sums = await readFile(join(moduleDir, 'go.sum'));
  const key = createHash('sha256').update(sums).digest('hex').slice(0, 12);
  const path = join(cacheDir('registry'), `registry-${key}`);
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  )
    return { path };
  await mkdir(cacheDir('registry'), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  try {
    const env = { ...process.env, CGO_ENABLED: '0' };
    await promisify(execFile)('go', ['build', '-trimpath', '-o', temporary, command], { cwd: moduleDir, env });
    await rename(temporary, path);
    return { path };
  } catch (error) {
    return { missing: `no registry: go build failed: ${messageOf(error)}` };
  }
}

export interface RunningRegistry extends AsyncDisposable {
  /** HOST:PORT, plain HTTP. */
  readonly host: string;
  /** What it logged, requests among it. */
  log(): string;
}

export interface RegistrySettings {
  readonly binary: string;
  readonly dir: string;
  /** Extra lines of its configuration, e.g. for sign-in. */
  readonly config?: string;
}

/** Starts a registry on a free port of the loopback. */
export async function startRegistry({ binary, dir, config = '' }: RegistrySettings): Promise<RunningRegistry> {
  const port = await freePort();
  const file = join(dir, `registry-${port}.yml`);
  const lines = [
    'version: 0.1',
    `storage: {filesystem: {rootdirectory: ${join(dir, `data-${port}`)}}}`,
    `http: {addr: "127.0.0.1:${port}", secret: test}`,
    config,
  ];
  await writeFile(file, lines.join('\n'));
  const child = spawn(binary, ['serve', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (log += chunk));
  const ended = new Promise(resolve => child.once('exit', resolve));
  const host = `127.0.0.1:${port}`;
  await until('the registry to answer', () => fetch(`http://${host}/v2/`).then(response => response.status > 0));
  return {
    host,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
  });
  return promise;
}
