/**
 * Binaries from the vendors' release archives, each held to a checksum: what data/releases.json pins, or for another version what
 * checksums.ts finds. There is no kube-apiserver for macOS among them.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { internal, unavailable } from '@drover/base';
import { extract } from 'tar-stream';
import { addToCache, missingBinaries } from './cache.ts';
import { type ChecksumOptions, checksumOf } from './checksums.ts';
import releaseData from './data/releases.json' with { type: 'json' };
import { fetchFile } from './fetch-file.ts';
import { type BinaryName, platformName, type Report } from './names.ts';

/** One archive: `{os}` and `{arch}` in url and files are filled in; `files` is the folder inside. */
export interface Release {
  readonly version: string;
  readonly url: string;
  readonly files: string;
  /** Folder of the cache that its files go to. */
  readonly into?: string;
  readonly binaries: readonly string[];
  readonly checksums: Readonly<Record<string, string>>;
}

export type Releases = Readonly<Record<string, Release>>;

export const pinnedReleases: Releases = releaseData;

/** What names the binaries of these releases in the cache. */
export function releaseVersion(releases: Releases): string {
  return releases['kubernetes']?.version ?? 'unknown';
}

/** The same with another Kubernetes, whose checksums are not known unless it is the pinned one. */
export function releasesOfVersion(releases: Releases, version: string): Releases {
  const { kubernetes } = releases;
  if (!kubernetes || kubernetes.version === version) return releases;
  const url = kubernetes.url.replaceAll(kubernetes.version, version);
  return { ...releases, kubernetes: { ...kubernetes, version, url, checksums: {} } };
}

/** Finds out what is not pinned, where one of `names` needs it. */
export async function withChecksums(
  releases: Releases,
  names: readonly BinaryName[],
  options: ChecksumOptions,
): Promise<Releases> {
  const { kubernetes } = releases;
  const isWanted = (release: Release) => names.some(name => release.binaries.includes(name));
  // Nothing is asked of anybody where it can't be enough.
  const rest = names.filter(name => !kubernetes?.binaries.includes(name));
  if (!kubernetes || !isWanted(kubernetes) || Object.keys(kubernetes.checksums).length > 0) return releases;
  releasesFor(releases, rest);
  const checksums = { [platformName().name]: await checksumOf(fill(kubernetes.url), options) };
  return { ...releases, kubernetes: { ...kubernetes, checksums } };
}

export function releaseKey(release: Release): string {
  return `release ${release.version} ${release.checksums[platformName().name]?.slice(0, 23) ?? ''}`;
}

export interface DownloadOptions {
  readonly releases: Releases;
  readonly dir: string;
  readonly names: readonly BinaryName[];
  readonly report: Report;
  readonly signal?: AbortSignal;
}

/** The archives that hold `names`; throws ServiceUnavailable where there is none for a name, or none for this platform (macOS has to build). */
export function releasesFor(releases: Releases, names: readonly BinaryName[]): Release[] {
  const platform = platformName().name;
  const chosen = new Set<Release>();
  for (const name of names) {
    const release = Object.values(releases).find(candidate => candidate.binaries.includes(name));
    if (!release) throw unavailable(`no release has ${name}`);
    if (!release.checksums[platform]) {
      throw unavailable(
        `no release of ${name} is pinned for ${platform} (only ${Object.keys(release.checksums).join(', ')})`,
      );
    }
    chosen.add(release);
  }
  return [...chosen];
}

/** Fetches, checks and unpacks what is missing. To be called under the cache's lock. */
export async function downloadBinaries(options: DownloadOptions): Promise<void> {
  const { dir, names, report, signal } = options;
  const releases = releasesFor(options.releases, names);
  for (const [index, release] of releases.entries()) {
    const wanted = names.filter(name => release.binaries.includes(name));
    const missing = await missingBinaries(dir, wanted, releaseKey(release));
    const url = fill(release.url);
    const step = { step: `download ${basename(url)}`, n: index + 1, of: releases.length };
    if (missing.length > 0) {
      report({ ...step, state: 'started' });
      const archive = join(dir, '.archives', basename(url));
      const checksum = release.checksums[platformName().name]!;
      const onBytes = (bytes: number, totalBytes: number | undefined) =>
        report({ ...step, state: 'running', bytes, totalBytes });
      await fetchFile(url, archive, { checksum, signal, onBytes });
      await unpack(archive, { dir, release, names: missing, signal });
      await rm(archive);
    }
    report({ ...step, state: 'done' });
  }
}

async function unpack(
  archive: string,
  options: { dir: string; release: Release; names: readonly BinaryName[]; signal?: AbortSignal },
): Promise<void> {
  const { dir, release, signal } = options;
  const found = new Map<BinaryName, string>();
  const folder = fill(release.files);
  const entries = extract();
  const unpacking = pipeline(createReadStream(archive), createGunzip(), entries, { signal });
  // Rejects through the loop below as well; without this its rejection would be nobody's.
  unpacking.catch(() => {});
  for await (const entry of entries) {
    const name = options.names.find(
      candidate => folder + candidate.slice(release.into?.length ?? 0) === entry.header.name,
    );
    if (name === undefined || entry.header.type !== 'file') {
      entry.resume();
      continue;
    }
    const path = join(dir, '.archives', `${basename(name)}.unpacked`);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(entry, createWriteStream(path), { signal });
    found.set(name, path);
  }
  await unpacking;
  for (const name of options.names) {
    const from = found.get(name);
    if (from === undefined) throw internal(`${archive} has no ${folder}${name}`);
    await addToCache(dir, { name, from, key: releaseKey(release) });
  }
}

function fill(template: string): string {
  const { os, arch } = platformName();
  return template.replaceAll('{os}', os).replaceAll('{arch}', arch);
}
