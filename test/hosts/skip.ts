/** Why a machine can't have hosts of its own, in words for a skipped test. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
