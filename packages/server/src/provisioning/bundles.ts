/** The bundles that this server gives to hosts: each one version of Kubernetes with all it needs. Looked at anew for each run. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '@drover/base';
import { type Bundle, openBundle } from '@drover/engine';
import { readFileIfThere } from '@drover/kube';

/** In each place: a bundle, as a directory or one tar, or a folder of them. Throws Invalid for one that is broken. */
export async function findBundles(places: readonly string[]): Promise<Bundle[]> {
  const bundles: Bundle[] = [];
  for (const place of places)
    for (const one of [place, ...(await entriesOf(place))])
      if (await isBundle(one)) bundles.push(await openBundle(one));
  return bundles.sort((a, b) => compareVersions(versionOf(b), versionOf(a)));
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

/** As semver orders them, as far as releases go. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string) => text.replace(/^v/, '').split(/[.-]/).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < 3; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
