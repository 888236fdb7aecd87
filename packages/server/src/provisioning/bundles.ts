/**
 * The bundles that this server gives to hosts: each one version of Kubernetes with all it needs. Looked at anew for each run; their files
 * are found by checksum, as hosts ask for them.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareVersions, invalid } from '@drover/base';
import { type Bundle, openBundle } from '@drover/engine';
import { readFileIfThere } from '@drover/kube';

/** In each place: a bundle, as a directory or one tar, or a folder of them. Throws Invalid for one that is broken. */
export async function findBundles(places: readonly string[]): Promise<Bundle[]> {
  const bundles: Bundle[] = [];
  for (const place of await bundlesIn(places)) bundles.push(await openBundle(place));
  return bundles.sort((a, b) => compareVersions(versionOf(b), versionOf(a)));
}

async function bundlesIn(places: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const place of places)
    for (const one of [place, ...(await entriesOf(place))]) if (await isBundle(one)) found.push(one);
  return found;
}

const isBundle = async (place: string): Promise<boolean> =>
  place.endsWith('.tar') || (await readFileIfThere(join(place, 'bundle.json'))) !== undefined;

async function entriesOf(place: string): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
  return entries.flatMap(entry =>
    entry.isDirectory() || entry.name.endsWith('.tar') ? [join(place, entry.name)] : [],
  );
}

export const versionOf = ({ manifest }: Bundle): string => manifest.versions['kubernetes'] ?? '';

/** The one of that version; for none the usual one, or the newest. Throws Invalid naming those that there are. */
export function chooseBundle(bundles: readonly Bundle[], version: string | undefined, usual: string): Bundle {
  const of = (wanted: string) => bundles.find(bundle => versionOf(bundle) === wanted);
  const found = version === undefined ? (of(usual) ?? bundles[0]) : of(version);
  if (found) return found;
  if (bundles.length === 0)
    throw invalid(
      'bundle',
      'this server has none, so it can make no clusters: drover bundle build makes one, and drover up --bundle DIR takes it',
    );
  throw invalid(
    'kubernetesVersion',
    `is ${version}, but this server has bundles for ${bundles.map(versionOf).join(', ')} (drover up --bundle DIR)`,
  );
}

export interface FoundFile {
  readonly path: string;
  readonly bytes: number;
}

/** How often, at the most, folders are looked through for a file that is not known. */
const lookAgainMs = 5000;

export class BundleFiles {
  readonly #places: readonly string[];
  #known: ReadonlyMap<string, FoundFile> = new Map();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(places: readonly string[]) {
    this.#places = places;
  }

  /** Undefined where no bundle has it, or what has it can't be read now. */
  async find(sha256: string): Promise<FoundFile | undefined> {
    const known = this.#known.get(sha256);
    if (known) return known;
    if (performance.now() - this.#lookedAt > lookAgainMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }
    await this.#looking;
    return this.#known.get(sha256);
  }

  async #look(): Promise<void> {
    const found = new Map<string, FoundFile>();
    for (const place of await bundlesIn(this.#places)) {
      // One that is broken is told to whoever makes a cluster of it.
      const bundle = await openBundle(place).catch(() => undefined);
      for (const { path, sha256, bytes } of bundle?.manifest.files ?? [])
        found.set(sha256, { path: bundle!.file(path), bytes });
    }
    this.#known = found;
    this.#lookedAt = performance.now();
  }
}
