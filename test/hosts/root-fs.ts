/**
 * The common root file system of test hosts: a small Debian with systemd and sshd, made once and kept outside of the checkout. It has
 * no host keys and no machine id: each host gets its own.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCacheDir, holdLock, runCommand as run } from '@drover/engine';

const packages = [
  ...['openssh-server', 'sudo', 'systemd', 'systemd-sysv', 'dbus', 'kmod', 'procps', 'util-linux'],
  ...['iptables', 'nftables', 'ipset', 'iproute2', 'conntrack', 'ethtool', 'socat', 'ca-certificates', 'curl'],
];
/** Changes with whatever is done below. */
const recipe = '1';

/** Its path; made where it is not there yet, which takes a minute. */
export async function ensureRootFs(signal?: AbortSignal): Promise<string> {
  const key = createHash('sha256')
    .update([recipe, ...packages].join())
    .digest('hex')
    .slice(0, 12);
  const dir = join(defaultCacheDir(), 'hosts', key);
  if (existsSync(dir)) return dir;
  await mkdir(join(dir, '..'), { recursive: true });
  await using _ = await holdLock(join(dir, '..', '.lock'), { signal });
  if (existsSync(dir)) return dir;
  const making = `${dir}.making`;
  await rm(making, { recursive: true, force: true });
  await run('debootstrap', ['--variant=minbase', `--include=${packages.join()}`, 'bookworm', making]);
  await run('chroot', [making, 'useradd', '--create-home', '--shell', '/bin/bash', 'admin']);
  await writeFile(join(making, 'etc/sudoers.d/admin'), 'admin ALL=(ALL) NOPASSWD: ALL\n', { mode: 0o440 });
  for (const name of await readdir(join(making, 'etc/ssh')))
    if (name.startsWith('ssh_host_')) await rm(join(making, 'etc/ssh', name));
  await writeFile(join(making, 'etc/machine-id'), '');
  await rm(join(making, 'var/cache/apt'), { recursive: true, force: true });
  await rename(making, dir);
  return dir;
}
