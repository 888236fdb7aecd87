/** Opens a bundle, a directory or one tar, and verifies it file by file. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, messageOf, notFound } from '@drover/base';
import { readFileIfThere } from '@drover/kube';
import { defaultCacheDir } from '../binaries/cache.ts';
import { platformName } from '../binaries/names.ts';
import { defaultMinor } from '../binaries/versions.ts';
import { describe } from './build.ts';
import type { Bundle } from './bundle.ts';
import { parseManifest } from './manifest.ts';
import { unpackBundle } from './tar.ts';

/** Where the bundle of a Kubernetes minor (default: the default one) is kept for whoever names no place. */
export function defaultBundleDir(minor: string = defaultMinor): string {
  const rest = minor === defaultMinor ? '' : `-${minor}`;
  return join(defaultCacheDir(), 'bundles', `${platformName().name}${rest}`);
}

/** A directory, or a tar that is unpacked into the cache first. Throws Invalid where it is no bundle that this version can read. */
export async function openBundle(place: string): Promise<Bundle> {
  const isFile = await stat(place).then(
    found => found.isFile(),
    () => false,
  );
  const dir = isFile ? await unpackBundle(place, join(defaultCacheDir(), 'bundles', 'unpacked')) : place;
  const text = await readFileIfThere(join(dir, 'bundle.json'));
  if (text === undefined) throw invalid('bundle', `${place} is no bundle: it has no bundle.json`);
  const manifest = parseManifest(text, join(dir, 'bundle.json'));
  const paths = new Set(manifest.files.map(({ path }) => path));
  return {
    manifest,
    file(path) {
      if (!paths.has(path)) throw notFound('file of the bundle', path);
      return join(dir, path);
    },
  };
}

/** What is wrong with it, a line for each file; empty when all is right. */
export async function verifyBundle(place: string): Promise<string[]> {
  const { manifest, file: pathOf } = await openBundle(place);
  const problems: string[] = [];
  for (const file of manifest.files) {
    try {
      const found = await describe(pathOf(file.path), file);
      if (found.sha256 !== file.sha256)
        problems.push(`${file.path} is ${found.sha256.slice(0, 16)}…, ${file.sha256.slice(0, 16)}… expected`);
    } catch (error) {
      problems.push(`${file.path} can't be read: ${messageOf(error)}`);
    }
  }
  return problems;
}
