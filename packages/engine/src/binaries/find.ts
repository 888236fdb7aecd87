/**
 * The one way to get the binaries a cluster runs on: a directory that somebody names, the cache, a release download or a
 * Go build, the first that works. When none does, the error says of each why.
 */
import { join } from 'node:path';
import { messageOf, unavailable } from '@drover/base';
import { holdLock } from '../process/lock.ts';
import { binariesDir, defaultCacheDir, requireCached } from './cache.ts';
import {
  downloadBinaries,
  pinnedReleases,
  type Releases,
  releaseKey,
  releasesFor,
  releasesOfVersion,
  releaseVersion,
  withChecksums,
} from './download.ts';
import { buildBinaries, type GoModule, goModuleDir, readGoModule } from './go-build.ts';
import { type BinaryName, type BinaryProgress, type BinarySource, controlPlaneBinaries, type Report } from './names.ts';
import { verifyBinaries } from './verify.ts';
import { parseKubernetes } from './versions.ts';

export interface FindBinariesOptions {
  /** Default: what a control plane needs. */
  readonly names?: readonly BinaryName[];
  /** A minor or an exact version (`1.37`, `v1.37.2`); default: what is pinned. */
  readonly kubernetes?: string;
  /** A file with the checksum of a release that is not pinned. */
  readonly checksums?: string;
  /** Looked at first (`--kube-bin-dir`). */
  readonly dir?: string;
  readonly cacheDir?: string;
  /** Which sources may be used; default all. `directory` counts only with `dir`. */
  readonly allow?: readonly BinarySource[];
  readonly onProgress?: (progress: BinaryProgress) => void;
  readonly signal?: AbortSignal;
  readonly releases?: Releases;
  readonly moduleDir?: string;
}

export interface Binaries {
  readonly dir: string;
  readonly source: BinarySource;
  /** Of Kubernetes, e.g. `v1.36.3`. */
  readonly version: string;
  path(name: BinaryName): string;
}

/** Finds, fetches or builds the binaries and has seen them run. Throws ServiceUnavailable with the reason of every source. */
export async function findBinaries(options: FindBinariesOptions = {}): Promise<Binaries> {
  const { names = controlPlaneBinaries, cacheDir = defaultCacheDir(), signal } = options;
  const { allow = ['directory', 'cache', 'download', 'build'], dir } = options;
  const asked = options.kubernetes === undefined ? undefined : parseKubernetes(options.kubernetes, 'kubernetes');
  const pinned = options.releases ?? pinnedReleases;
  const releases = asked ? releasesOfVersion(pinned, asked.version) : pinned;
  const found = await readGoModule(options.moduleDir ?? goModuleDir, asked?.minor);
  const module = asked && found?.version !== asked.version ? undefined : found;
  const releaseDir = binariesDir(cacheDir, releaseVersion(releases));
  const lock = (report: Report) =>
    holdLock(join(cacheDir, 'kubernetes', '.lock'), {
      signal,
      onWait: () => report({ step: 'wait for another process at the same work', n: 1, of: 1, state: 'started' }),
    });

  const sources: Record<BinarySource, (report: Report) => Promise<string>> = {
    directory: async () => dir ?? '',
    cache: () => cached({ cacheDir, names, module, releases }),
    download: async report => {
      const known = await withChecksums(releases, names, { file: options.checksums, signal });
      releasesFor(known, names);
      await using _ = await lock(report);
      await downloadBinaries({ releases: known, dir: releaseDir, names, report, signal });
      return releaseDir;
    },
    build: async report => {
      const of = asked ? ` of ${asked.version}` : '';
      if (!module) throw unavailable(`there is no Go module${of} at ${options.moduleDir ?? goModuleDir}`);
      const buildDir = binariesDir(cacheDir, module.version);
      await using _ = await lock(report);
      await buildBinaries({ module, dir: buildDir, names, report, signal });
      return buildDir;
    },
  };

  const started = performance.now();
  const reasons: string[] = [];
  for (const source of allow) {
    if (source === 'directory' && dir === undefined) continue;
    const report: Report = progress =>
      options.onProgress?.({ ...progress, source, elapsedMs: Math.round(performance.now() - started) });
    try {
      const place = await sources[source](report);
      const version = await verifyBinaries(place, names, signal);
      if (asked && names.some(name => name.startsWith('kube')) && version !== asked.version)
        throw unavailable(`${place} has ${version}, but ${asked.version} is asked for`);
      return { dir: place, source, version, path: name => join(place, name) };
    } catch (error) {
      signal?.throwIfAborted();
      const message = messageOf(error);
      reasons.push(`${source}: ${message}`);
      report({ step: `use ${source}`, n: 1, of: 1, state: 'failed', message });
    }
  }
  throw unavailable(`no Kubernetes binaries (${names.join(', ')}) to be had; ${reasons.join('; ')}`);
}

async function cached(options: {
  cacheDir: string;
  names: readonly BinaryName[];
  module: GoModule | undefined;
  releases: Releases;
}): Promise<string> {
  const { cacheDir, names, module, releases } = options;
  const reasons: string[] = [];
  if (module) {
    const dir = binariesDir(cacheDir, module.version);
    try {
      await requireCached(dir, names, module.key);
      return dir;
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  const dir = binariesDir(cacheDir, releaseVersion(releases));
  try {
    for (const release of releasesFor(releases, names)) {
      await requireCached(
        dir,
        names.filter(name => release.binaries.includes(name)),
        releaseKey(release),
      );
    }
    return dir;
  } catch (error) {
    throw unavailable([...reasons, messageOf(error)].join('; '));
  }
}
