/**
 * The cache of binaries: one directory per version and platform, and in it a mark that says of each file what it was made
 * from. A file without its mark is one that somebody was still writing when he was killed, or that belongs to an older go.sum.
 */
import { chmod, mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { internal, unavailable } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { type BinaryName, platformName } from './names.ts';

/** `$XDG_CACHE_HOME/drover`, or `~/.cache/drover`. */
export function defaultCacheDir(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drover');
}

/** Where binaries of this version are kept. */
export function binariesDir(cacheDir: string, version: string): string {
  return join(cacheDir, 'kubernetes', `${version}-${platformName().name}`);
}

type Marks = Readonly<Record<string, string>>;

/** Which of `names` are not cached as made from `key`. */
export async function missingBinaries(dir: string, names: readonly BinaryName[], key: string): Promise<BinaryName[]> {
  const marks = await readMarks(dir);
  return names.filter(name => marks[name] !== key);
}

/** Throws ServiceUnavailable unless all of `names` are cached as made from `key`. */
export async function requireCached(dir: string, names: readonly BinaryName[], key: string): Promise<void> {
  const missing = await missingBinaries(dir, names, key);
  if (missing.length > 0) throw unavailable(`${dir} has no ${missing.join(', ')} of ${key}`);
}

/** Takes a finished file into the cache: mode, rename, then the mark. To be called under the cache's lock. */
export async function addToCache(dir: string, file: { name: BinaryName; from: string; key: string }): Promise<void> {
  const path = join(dir, file.name);
  await mkdir(dirname(path), { recursive: true });
  await chmod(file.from, 0o755);
  // Renamed over the old one: a binary that is running can't be written to.
  await rename(file.from, path);
  const marks = { ...(await readMarks(dir)), [file.name]: file.key };
  await writeFileAtomic(marksPath(dir), `${JSON.stringify(marks, undefined, 2)}\n`, 0o644);
}

function marksPath(dir: string): string {
  return join(dir, 'made-from.json');
}

async function readMarks(dir: string): Promise<Marks> {
  const text = await readFileIfThere(marksPath(dir));
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Marks;
  } catch (error) {
    throw internal(`${marksPath(dir)} is not JSON: remove it to have the binaries made again`, error);
  }
}
