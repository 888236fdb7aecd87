/** Builds a bundle into a directory: binaries, network plug-ins and images of fixed versions, and the manifest last. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, constants, copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readFileIfThere } from '@drover/kube';
import { type Binaries, findBinaries } from '../binaries/find.ts';
import { controlPlaneBinaries, nodeBinaries, platformName } from '../binaries/names.ts';
import { holdLock } from '../process/lock.ts';
import type { BundleFile, BundleImage, BundleManifest } from './bundle.ts';
import { writeImage } from './image.ts';
import {
  type FoundBinary,
  findNodeBinaries,
  type NodeBinariesOptions,
  type NodeBinary,
  nodeBinaryTable,
} from './node-binaries.ts';

export interface BuildOptions extends NodeBinariesOptions {
  /** Where Kubernetes' own come from; default: whatever findBinaries finds. */
  readonly binaries?: Binaries;
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
] as const;

/** Writes the bundle to `dir`, which is replaced as a whole; one that is there and made from the same is kept. */
export async function buildBundle(dir: string, options: BuildOptions = {}): Promise<BundleManifest> {
  const { onProgress, signal } = options;
  const names = [...controlPlaneBinaries, ...nodeBinaries];
  const kubernetes = options.binaries ?? (await findBinaries({ names, cacheDir: options.cacheDir, signal }));
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
    files.push(await describe(making, path, true));
  };
  for (const name of names) {
    if (name === 'pause') continue;
    await add(name.startsWith('cni/') ? name : `bin/${name}`, kubernetes.path(name));
  }
  for (const name of onHosts) await add(`bin/${name}`, others[name]!.path);
  const images = await writeImages(making, { kubernetes, others });
  for (const { path } of Object.values(images)) files.push(await describe(making, path, false));
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

/** The same files are the same bundle, whenever and wherever they were put together. */
export function bundleId(files: readonly BundleFile[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256, executable } of files) hash.update(`${path}\0${sha256}\0${executable}\n`);
  return hash.digest('hex');
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

export async function describe(dir: string, path: string, executable: boolean): Promise<BundleFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(join(dir, path))) hash.update(chunk as Buffer);
  const { size } = await stat(join(dir, path));
  return { path, sha256: hash.digest('hex'), bytes: size, executable };
}
