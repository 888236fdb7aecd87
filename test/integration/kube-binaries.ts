/**
 * Where the tests find real Kubernetes binaries: DROVER_KUBE_BIN_DIR, else the newest version in the cache that
 * `./drover test` fills.
 */
import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drover', 'kubernetes');
const arch = process.arch === 'x64' ? 'amd64' : process.arch;

/** The directory that holds all of `names`, or undefined. */
export function findKubeBinaries(...names: string[]): string | undefined {
  const own = process.env['DROVER_KUBE_BIN_DIR'];
  return (own ? [own] : cachedVersions()).find(dir => names.every(name => isExecutable(join(dir, name))));
}

/** Why tests that need these binaries are skipped here; undefined when they can run. */
export function missingKubeBinaries(...names: string[]): string | undefined {
  if (findKubeBinaries(...names)) return undefined;
  return `no ${names.join(', ')} in ${process.env['DROVER_KUBE_BIN_DIR'] ?? cache}`;
}

function cachedVersions(): string[] {
  try {
    return readdirSync(cache)
      .filter(name => name.endsWith(`-${process.platform}-${arch}`))
      .sort(new Intl.Collator('en', { numeric: true }).compare)
      .reverse()
      .map(name => join(cache, name));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
