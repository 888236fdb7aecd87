/**
 * Control groups of our own, directly below the root. cgroup v2 has one tree; v1 has one per controller and beside them, where
 * there are both, the empty unified one.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@drover/base';

const cgroupRoot = '/sys/fs/cgroup';

async function hierarchies(): Promise<string[]> {
  const entries = await readdir(cgroupRoot, { withFileTypes: true });
  if (entries.some(entry => entry.name === 'cgroup.controllers')) return [cgroupRoot];
  return entries.filter(entry => entry.isDirectory()).map(entry => join(cgroupRoot, entry.name));
}

/** Makes it where it is not there, in each tree. */
export async function createCgroup(name: string): Promise<void> {
  for (const root of await hierarchies()) {
    const dir = join(root, name);
    if (root === cgroupRoot) await passControllersOn();
    await mkdir(dir, { recursive: true });
    if (!root.endsWith('/cpuset')) continue;
    // A new cpuset is empty and takes no process until it is told its share.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      await writeFile(join(dir, file), await readFile(join(root, file)));
    }
  }
}

/**
 * In v2 a cgroup has those controllers that the one above passes on, and kubelets refuse one that lacks any of theirs. The root passes on what
 * somebody asked for so far: most of them by an init system; what is still missing is asked for, which changes nothing for others.
 */
async function passControllersOn(): Promise<void> {
  const read = async (name: string) => (await readFile(join(cgroupRoot, name), 'utf8')).trim().split(/\s+/);
  const [there, passed] = await Promise.all([read('cgroup.controllers'), read('cgroup.subtree_control')]);
  for (const name of ['cpu', 'cpuset', 'memory', 'hugetlb', 'pids'])
    if (there.includes(name) && !passed.includes(name))
      await writeFile(join(cgroupRoot, 'cgroup.subtree_control'), `+${name}`);
}

/** Removes the cgroup and all below it, once nothing runs there any more. */
export async function removeCgroup(name: string): Promise<void> {
  for (const root of await hierarchies()) {
    await until(
      `cgroup ${name} to be empty`,
      async () => {
        await removeTree(join(root, name));
        return true;
      },
      { timeoutMs: 15_000 },
    );
  }
}

/** Whether any process is in it or below. */
export async function isCgroupBusy(name: string): Promise<boolean> {
  for (const root of await hierarchies()) if (await isBusy(join(root, name))) return true;
  return false;
}

async function isBusy(dir: string): Promise<boolean> {
  // One that goes at this moment has none.
  const processes = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
  if (processes.trim() !== '') return true;
  for (const below of await foldersIn(dir)) if (await isBusy(below)) return true;
  return false;
}

async function removeTree(dir: string): Promise<void> {
  for (const below of await foldersIn(dir)) await removeTree(below);
  await rmdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter(entry => entry.isDirectory()).map(entry => join(dir, entry.name));
}
