/**
 * What a bundle has beside Kubernetes, built from Go modules of ours that pin each: containerd, runc, flannel, CoreDNS, … Slow once,
 * then kept until a module's go.sum changes.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { internal, unavailable } from '@drover/base';
import { readFileIfThere } from '@drover/kube';
import { defaultCacheDir } from '../binaries/cache.ts';
import { runGo } from '../binaries/go-build.ts';
import { platformName } from '../binaries/names.ts';
import { holdLock } from '../process/lock.ts';

const modulesDir = fileURLToPath(new URL('../../../../tools/node-binaries', import.meta.url));

interface Built {
  readonly module: string;
  /** What `go build` is told to build. */
  readonly package: string;
  /** Of the module whose version counts; absent for our own. */
  readonly versionOf?: string;
  readonly cgo?: boolean;
  readonly tags?: readonly string[];
}

const containerd = { module: 'containerd', versionOf: 'github.com/containerd/containerd/v2' };
const etcd = { module: 'etcd', versionOf: 'go.etcd.io/etcd/etcdctl/v3' };

export const nodeBinaryTable = {
  containerd: { ...containerd, package: 'github.com/containerd/containerd/v2/cmd/containerd' },
  'containerd-shim-runc-v2': {
    ...containerd,
    package: 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
  },
  ctr: { ...containerd, package: 'github.com/containerd/containerd/v2/cmd/ctr' },
  // Both enter namespaces in C, before Go's threads are there.
  runc: {
    module: 'runc',
    package: 'github.com/opencontainers/runc',
    versionOf: 'github.com/opencontainers/runc',
    cgo: true,
    // Links libseccomp's static library: pods are filtered by it.
    tags: ['seccomp'],
  },
  flanneld: {
    module: 'flannel',
    package: 'github.com/flannel-io/flannel',
    versionOf: 'github.com/flannel-io/flannel',
    cgo: true,
  },
  coredns: { module: 'coredns', package: 'github.com/coredns/coredns', versionOf: 'github.com/coredns/coredns' },
  'metrics-server': {
    module: 'metrics-server',
    package: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    versionOf: 'sigs.k8s.io/metrics-server',
  },
  etcdctl: { ...etcd, package: 'go.etcd.io/etcd/etcdctl/v3' },
  etcdutl: { ...etcd, package: 'go.etcd.io/etcd/etcdutl/v3' },
  'kube-lb': { module: 'kube-lb', package: '.' },
  'network-policy': { module: 'network-policy', package: '.' },
  'etcd-snapshots': { module: 'etcd-snapshots', package: '.' },
} as const satisfies Readonly<Record<string, Built>>;

export type NodeBinary = keyof typeof nodeBinaryTable;

export interface FoundBinary {
  readonly path: string;
  readonly version: string;
}

export interface NodeBinariesOptions {
  readonly cacheDir?: string;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Path and version of each; built where it is not in the cache. Throws ServiceUnavailable where there is no Go. */
export async function findNodeBinaries(
  names: readonly NodeBinary[],
  options: NodeBinariesOptions = {},
): Promise<Readonly<Record<string, FoundBinary>>> {
  const { cacheDir = defaultCacheDir(), onProgress, signal } = options;
  const dir = join(cacheDir, 'node-binaries', platformName().name);
  await mkdir(dir, { recursive: true });
  const found: Record<string, FoundBinary> = {};
  for (const name of names) {
    const built: Built = nodeBinaryTable[name];
    const { key, version } = await readModule(built);
    const path = join(dir, `${name}-${key}`);
    found[name] = { path, version };
    if (existsSync(path)) continue;
    await using _ = await holdLock(join(dir, '.lock'), { signal });
    if (existsSync(path)) continue;
    onProgress?.(`build ${name} ${version}`);
    const making = `${path}.building`;
    const link = `-s -w${built.cgo ? ' -extldflags -static' : ''}${name === 'runc' ? ` -X main.version=${version.slice(1)}` : ''}`;
    const tags = built.cgo ? ['-tags', ['netgo', 'osusergo', ...(built.tags ?? [])].join()] : [];
    const args = ['build', '-mod=readonly', '-trimpath', ...tags, '-ldflags', link, '-o', making, built.package];
    await runGo(join(modulesDir, built.module), args, signal, { CGO_ENABLED: built.cgo ? '1' : '0' });
    await rename(making, path);
  }
  return found;
}

async function readModule({ module, versionOf, tags = [] }: Built): Promise<{ key: string; version: string }> {
  const dir = join(modulesDir, module);
  const mod = await readFileIfThere(join(dir, 'go.mod'));
  if (mod === undefined) throw unavailable(`${dir} is not there: bundles are built in a checkout of the sources`);
  const sum = (await readFileIfThere(join(dir, 'go.sum'))) ?? '';
  const own = versionOf === undefined ? await ownSources(dir) : '';
  const key = createHash('sha256').update(mod).update(sum).update(own).update(tags.join()).digest('hex').slice(0, 16);
  if (versionOf === undefined) return { key, version: key.slice(0, 8) };
  const line = mod.split('\n').find(text =>
    text
      .trim()
      .replace(/^require /, '')
      .startsWith(`${versionOf} v`),
  );
  const version = line && /\s(v\S+)/.exec(line)?.[1];
  if (!version) throw internal(`${join(dir, 'go.mod')} does not require ${versionOf}`);
  return { key, version };
}

/** Of a module that is ours: the version is what it says. */
async function ownSources(dir: string): Promise<string> {
  const names = (await readdir(dir)).filter(name => name.endsWith('.go')).sort();
  return (await Promise.all(names.map(name => readFile(join(dir, name), 'utf8')))).join('\0');
}
