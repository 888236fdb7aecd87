/** Opens a bundle's directory, and verifies one file by file. */
import { join } from 'node:path';
import { invalid, messageOf, notFound } from '@drover/base';
import { readFileIfThere } from '@drover/kube';
import { defaultCacheDir } from '../binaries/cache.ts';
import { platformName } from '../binaries/names.ts';
import { bundleId, describe } from './build.ts';
import type { Bundle, BundleManifest } from './bundle.ts';

/** Where a bundle is kept for whoever names none. */
export function defaultBundleDir(): string {
  return join(defaultCacheDir(), 'bundles', platformName().name);
}

/** Throws Invalid where the directory holds no bundle that this version can read. */
export async function openBundle(dir: string): Promise<Bundle> {
  const text = await readFileIfThere(join(dir, 'bundle.json'));
  if (text === undefined) throw invalid('bundle', `${dir} is no bundle: it has no bundle.json`);
  let manifest: BundleManifest;
  try {
    manifest = JSON.parse(text) as BundleManifest;
  } catch (error) {
    throw invalid('bundle', `${join(dir, 'bundle.json')} is not JSON: ${messageOf(error)}`);
  }
  if (manifest?.format !== 1) throw invalid('bundle', `${dir} has format ${manifest?.format}; this version reads 1`);
  checkManifest(manifest, dir);
  if (manifest.id !== bundleId(manifest.files)) throw invalid('bundle', `the list of files in ${dir} was changed`);
  const paths = new Set(manifest.files.map(({ path }) => path));
  return {
    manifest,
    file(path) {
      if (!paths.has(path)) throw notFound('file of the bundle', path);
      return join(dir, path);
    },
  };
}

/** Whoever made the bundle, hosts write these paths and run these names as root: none may lead out of its folder or into a command. */
function checkManifest({ files, images }: BundleManifest, dir: string): void {
  const wrong = (what: unknown) =>
    invalid('bundle', `${join(dir, 'bundle.json')} has what no bundle has: ${JSON.stringify(what)}`);
  if (!Array.isArray(files)) throw wrong(files);
  for (const file of files as (Partial<BundleManifest['files'][number]> | null)[]) {
    const { path, sha256, executable } = file ?? {};
    const isPath = typeof path === 'string' && /^(bin|cni|images)\/[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(path);
    if (!isPath || !/^[0-9a-f]{64}$/.test(String(sha256)) || typeof executable !== 'boolean') throw wrong(file);
  }
  const paths = new Set(files.map(({ path }) => path));
  for (const image of Object.values(images ?? {}))
    if (!/^[a-z0-9][a-z0-9./-]*:[A-Za-z0-9._-]+$/.test(String(image?.name)) || !paths.has(image.path))
      throw wrong(image);
}

/** What is wrong with it, a line for each file; empty when all is right. */
export async function verifyBundle(dir: string): Promise<string[]> {
  const { manifest } = await openBundle(dir);
  const problems: string[] = [];
  for (const file of manifest.files) {
    try {
      const found = await describe(dir, file.path, file.executable);
      if (found.sha256 !== file.sha256)
        problems.push(`${file.path} is ${found.sha256.slice(0, 16)}…, ${file.sha256.slice(0, 16)}… expected`);
    } catch (error) {
      problems.push(`${file.path} can't be read: ${messageOf(error)}`);
    }
  }
  return problems;
}
