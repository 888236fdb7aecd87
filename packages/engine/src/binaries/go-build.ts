/**
 * Binaries built from our Go module (tools/kubernetes) by whoever has Go: its go.mod says the versions, its go.sum pins what is built;
 * other minors have files of their own beside these, `go-1.37.mod` and `.sum`. Slow once (ten minutes on two cores), then cached.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { internal, messageOf, unavailable } from '@drover/base';
import { readFileIfThere } from '@drover/kube';
import { addToCache, missingBinaries } from './cache.ts';
import type { BinaryName, Report } from './names.ts';

/** The module's place in a checkout; not there in an image. */
export const goModuleDir = fileURLToPath(new URL('../../../../tools/kubernetes', import.meta.url));

/** What go.mod pins, and the key under which its builds are cached; undefined where there is no module. */
export interface GoModule {
  readonly dir: string;
  /** `go.mod`, or the one of another minor. */
  readonly modFile: string;
  readonly version: string;
  readonly key: string;
}

/** `minor`: e.g. `1.37`; default: the one of go.mod. */
export async function readGoModule(dir: string, minor?: string): Promise<GoModule | undefined> {
  for (const name of ['go', ...(minor === undefined ? [] : [`go-${minor}`])]) {
    const [mod, sum] = await Promise.all(
      ['mod', 'sum'].map(extension => readFileIfThere(join(dir, `${name}.${extension}`))),
    );
    if (mod === undefined || sum === undefined) continue;
    const version = /^\s*k8s\.io\/kubernetes (v\S+)$/m.exec(mod)?.[1];
    if (version === undefined) throw internal(`${join(dir, `${name}.mod`)} does not require k8s.io/kubernetes`);
    if (minor !== undefined && !version.startsWith(`v${minor}.`)) continue;
    const hash = createHash('sha256').update(mod).update(sum).digest('hex');
    return { dir, modFile: `${name}.mod`, version, key: `go.sum ${hash.slice(0, 16)}` };
  }
  return undefined;
}

export interface GoBuildOptions {
  readonly module: GoModule;
  readonly dir: string;
  readonly names: readonly BinaryName[];
  readonly report: Report;
  readonly signal?: AbortSignal;
}

/** Builds what is missing, one after the other (each uses all cores). To be called under the cache's lock. */
export async function buildBinaries(options: GoBuildOptions): Promise<void> {
  const { module, dir, names, report, signal } = options;
  await requireGo(signal);
  const missing = await missingBinaries(dir, names, module.key);
  await mkdir(dir, { recursive: true });
  for (const [index, name] of missing.entries()) {
    const step = { step: `build ${name}`, n: index + 1, of: missing.length };
    report({ ...step, state: 'started' });
    const output = join(dir, `.${basename(name)}.building`);
    try {
      await runGo(
        module.dir,
        [
          'build',
          `-modfile=${module.modFile}`,
          ...goBuildArguments(name, module.version),
          '-o',
          output,
          goPackage(name),
        ],
        signal,
      );
      await addToCache(dir, { name, from: output, key: module.key });
    } finally {
      await rm(output, { force: true });
    }
    report({ ...step, state: 'done' });
  }
}

/** The flags of `go build` for one binary; Kubernetes learns its version at link time. */
export function goBuildArguments(name: BinaryName, version: string): string[] {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const set = (field: string, value = '') => `-X k8s.io/component-base/version.${field}=${value}`;
  const flags = ['-s', '-w'];
  if (name.startsWith('kube')) {
    flags.push(
      set('gitVersion', version),
      set('gitMajor', major),
      set('gitMinor', minor),
      set('gitTreeState', 'clean'),
    );
  }
  return ['-mod=readonly', '-trimpath', '-ldflags', flags.join(' ')];
}

function goPackage(name: BinaryName): string {
  if (name === 'pause') return './pause';
  if (name === 'etcd') return 'go.etcd.io/etcd/server/v3';
  if (!name.startsWith('cni/')) return `k8s.io/kubernetes/cmd/${name}`;
  const plugins = { 'cni/host-local': 'ipam', 'cni/portmap': 'meta' } as Readonly<Record<string, string>>;
  return `github.com/containernetworking/plugins/plugins/${plugins[name] ?? 'main'}/${basename(name)}`;
}

async function requireGo(signal: AbortSignal | undefined): Promise<void> {
  try {
    await promisify(execFile)('go', ['version'], { signal });
  } catch (error) {
    signal?.throwIfAborted();
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw unavailable(absent ? 'Go is not installed' : `Go does not run: ${messageOf(error)}`);
  }
}

/** Runs `go` to its end; a failure carries the last of what it said. */
export function runGo(
  cwd: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    // A group of its own: the compilers that go starts have to end with it.
    const child = spawn('go', args, {
      cwd,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let tail = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-2000);
    });
    const onAbort = () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('error', reject);
    child.on('close', code => {
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else
        reject(unavailable(`go ${args.at(-1)} ended with ${code}: ${tail.trim().split('\n').slice(-3).join(' / ')}`));
    });
  });
}
