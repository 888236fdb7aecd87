/** Why a machine can't have hosts of its own, or no clusters on them, in words for a skipped test. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@drover/base';
import { buildBundle, defaultBundleDir } from '@drover/engine';

const commands = ['debootstrap', 'ip', 'nsenter', 'ssh-keygen', 'unshare'];
const packagesFile = fileURLToPath(new URL('packages.txt', import.meta.url));

/** Undefined where test hosts can run. */
export function hostsSkipReason(): string | undefined {
  if (process.platform !== 'linux') return 'a host needs Linux';
  if (process.getuid?.() !== 0) return 'a host needs root';
  const path = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const missing = commands.filter(name => !path.some(dir => existsSync(join(dir, name))));
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (Debian: see ${packagesFile})`;
  if (!/\boverlay\b/.test(readFileSync('/proc/filesystems', 'utf8'))) return 'the kernel has no overlay file system';
  return undefined;
}

/** Undefined where clusters of these minors of Kubernetes can be made on test hosts; builds what it takes, once. */
export async function clustersSkipReason(minors?: readonly string[]): Promise<string | undefined> {
  const reason = hostsSkipReason();
  if (reason) return reason;
  try {
    if (!minors) await buildBundle(defaultBundleDir());
    for (const minor of minors ?? []) await buildBundle(defaultBundleDir(minor), { kubernetes: minor });
  } catch (error) {
    return messageOf(error);
  }
  return undefined;
}
