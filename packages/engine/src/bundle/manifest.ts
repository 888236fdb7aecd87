/** What a bundle says of itself, held to what bundles can have before anything of it is read or sent. */
import { createHash } from 'node:crypto';
import { invalid, messageOf } from '@drover/base';
import type { BundleFile, BundleManifest } from './bundle.ts';

/** `where`: for people. Throws Invalid for what is no manifest of a bundle. */
export function parseManifest(text: string, where: string): BundleManifest {
  let manifest: BundleManifest;
  try {
    manifest = JSON.parse(text) as BundleManifest;
  } catch (error) {
    throw invalid('bundle', `${where} is not JSON: ${messageOf(error)}`);
  }
  if (manifest?.format !== 1) throw invalid('bundle', `${where} has format ${manifest?.format}; this version reads 1`);
  checkManifest(manifest, where);
  if (manifest.id !== bundleId(manifest.files)) throw invalid('bundle', `the list of files in ${where} was changed`);
  return manifest;
}

/** The same files are the same bundle, whenever and wherever they were put together. */
export function bundleId(files: readonly BundleFile[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256, executable } of files) hash.update(`${path}\0${sha256}\0${executable}\n`);
  return hash.digest('hex');
}

/** Whoever made the bundle, hosts write these paths and run these names as root: none may lead out of its folder or into a command. */
function checkManifest({ files, images, versions }: BundleManifest, where: string): void {
  const wrong = (what: unknown) => invalid('bundle', `${where} has what no bundle has: ${JSON.stringify(what)}`);
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
  for (const [name, version] of Object.entries(versions ?? {}))
    if (!/^[a-z0-9-]+$/.test(name) || !/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(String(version))) throw wrong(version);
}
