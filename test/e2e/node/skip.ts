/** Why a machine can't have a real node, in words for a skipped test. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@drover/base';
import { controlPlaneBinaries, findBinaries, nodeBinaries } from '@drover/engine';

const commands = ['ip', 'unshare', 'nsenter', 'mount', 'iptables', 'conntrack', 'containerd', 'ctr', 'runc', 'busybox'];

/** Debian packages that a test cluster needs, one a line. */
const packagesFile = fileURLToPath(new URL('packages.txt', import.meta.url));

/** Undefined where a test cluster can run; builds its binaries where they are missing, which takes a while once. */
export async function testClusterSkipReason(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a node needs Linux';
  if (process.getuid?.() !== 0) return 'a node needs root';
  const missing = commands.filter(name => !isInstalled(name));
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (Debian: see ${packagesFile})`;
  if (!/\boverlay\b/.test(readFileSync('/proc/filesystems', 'utf8'))) return 'the kernel has no overlay file system';
  try {
    await findBinaries({ names: [...controlPlaneBinaries, ...nodeBinaries] });
  } catch (error) {
    return messageOf(error);
  }
  return undefined;
}

function isInstalled(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(dir => existsSync(join(dir, name)));
}
