/** Builds a bundle into a directory: binaries, network plug-ins and images of fixed versions, and the manifest last. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, constants, copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readFileIfThere } from '@drover/kube';
import { type Binaries, type FindBinariesOptions, findBinaries } from '../binaries/find.ts';
import { type BinaryName, controlPlaneBinaries, nodeBinaries, platformName } from '../binaries/names.ts';
import { holdLock } from '../process/lock.ts';
import type { BundleFile, BundleImage, BundleManifest } from './bundle.ts';
import { writeImage } from './image.ts';
import { bundleId } from './manifest.ts';
import {
  type FoundBinary,
  findNodeBinaries,
  type NodeBinariesOptions,
  type NodeBinary,
  nodeBinaryTable,
} from './node-binaries.ts';

export interface BuildOptions extends NodeBinariesOptions {
  /** A minor or an exact version; default: the default one. */
  readonly kubernetes?: string;
  /** Where Kubernetes' own come from: `build`, `download` or a directory; default: the first that works. */
  readonly from?: string;
  /** A file with the checksum of a download that is not pinned. */
  readonly checksums?: string;
}

const onHosts = [
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
  'flanneld',
  'etcdctl',
  'etcdutl',
  'kube-lb',
  'network-policy',
  'etcd-snapshots',
] as const;

/** Writes the bundle to `dir`, which is replaced as a whole; one that is there and made from the same is kept. */
export async function buildBundle(dir: string, options: BuildOptions = {}): Promise<BundleManifest> {
  const { onProgress, signal } = options;
  const kubernetes = await findKubernetes(options);
  const others = await findNodeBinaries(Object.keys(nodeBinaryTable) as NodeBinary[], options);
  const madeFrom = originOf(kubernetes, others);
  const kept = await readManifest(dir);
  if (kept?.madeFrom === madeFrom) return kept;
  await mkdir(dirname(dir), { recursive: true });
  await using _ = await holdLock(`${dir}.lock`, { signal });
  const making = `${dir}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  onProgress?.('gather files');
  const files: BundleFile[] = [];
  const add = async (path: string, from: string) => {
    const to = join(making, path);
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    await chmod(to, 0o755);
    files.push(await describe(to, { path, executable: true }));
  };
  for (const name of names) {
    if (name === 'pause') continue;
    await add(name.startsWith('cni/') ? name : `bin/${name}`, kubernetes.path(name));
  }
  for (const name of onHosts) await add(`bin/${name}`, others[name]!.path);
  const images = await writeImages(making, { kubernetes, others });
  for (const { path } of Object.values(images))
    files.push(await describe(join(making, path), { path, executable: false }));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const versions = {
    kubernetes: kubernetes.version,
    ...Object.fromEntries(Object.entries(others).map(([name, { version }]) => [name, version])),
  };
  const manifest: BundleManifest = {
    format: 1,
    id: bundleId(files),
    madeFrom,
    platform: platformName().name,
    versions,
    files,
    images,
  };
  await writeFile(join(making, 'bundle.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await rm(dir, { recursive: true, force: true });
  await rename(making, dir);
  return manifest;
}

const names: readonly BinaryName[] = [...controlPlaneBinaries, ...nodeBinaries];

async function findKubernetes(options: BuildOptions): Promise<Binaries> {
  const { kubernetes, from, checksums, cacheDir, onProgress, signal } = options;
  const common = { kubernetes, checksums, cacheDir, signal };
  const find = (some: readonly BinaryName[], rest: Partial<FindBinariesOptions> = {}) => {
    let last = '';
    return findBinaries({
      ...common,
      ...rest,
      names: some,
      onProgress({ step, source, state }) {
        if (state === 'failed' || source === 'cache' || step === last) return;
        last = step;
        onProgress?.(step);
      },
    });
  };
  if (from === undefined || from === 'build') return find(names, { allow: from ? ['cache', 'build'] : undefined });
  // Nobody publishes the program that holds a pod's namespaces.
  const published = names.filter(name => name !== 'pause');
  const found = await find(
    published,
    from === 'download' ? { allow: ['download'] } : { allow: ['directory'], dir: from },
  );
  const pause = await findBinaries({ cacheDir, signal, names: ['pause'], allow: ['cache', 'build'] });
  return { ...found, path: name => (name === 'pause' ? pause : found).path(name) };
}

function originOf(kubernetes: Binaries, others: Readonly<Record<string, FoundBinary>>): string {
  const hash = createHash('sha256').update(`${kubernetes.version}\0${kubernetes.source}\0`);
  // Paths in the cache carry the checksum of what each was built from.
  for (const { path } of Object.values(others)) hash.update(`${basename(path)}\0`);
  return hash.digest('hex').slice(0, 32);
}

async function readManifest(dir: string): Promise<BundleManifest | undefined> {
  const text = await readFileIfThere(join(dir, 'bundle.json'));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as BundleManifest);
  } catch {
    // Somebody was killed while he wrote it: made again.
    return undefined;
  }
}

async function writeImages(
  dir: string,
  { kubernetes, others }: { kubernetes: Binaries; others: Readonly<Record<string, FoundBinary>> },
): Promise<Record<string, BundleImage>> {
  await mkdir(join(dir, 'images'), { recursive: true });
  const images: Record<string, BundleImage> = {};
  const one = async (role: string, from: { path: string; version: string }) => {
    const path = `images/${role}.tar`;
    const name = `drover.io/${role}:${from.version}`;
    const file = { path: role, mode: 0o755, content: await readFile(from.path) };
    await writeImage(join(dir, path), { name, files: [file], config: { Entrypoint: [`/${role}`] } });
    images[role] = { name, path };
  };
  await one('pause', { path: kubernetes.path('pause'), version: '1' });
  await one('coredns', others['coredns']!);
  await one('metrics-server', others['metrics-server']!);
  return images;
}

/** What a manifest says of the file that is at `place`. */
export async function describe(
  place: string,
  { path, executable }: Pick<BundleFile, 'path' | 'executable'>,
): Promise<BundleFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(place)) hash.update(chunk as Buffer);
  const { size } = await stat(place);
  return { path, sha256: hash.digest('hex'), bytes: size, executable };
}
