/** Whether this machine can have a whole node, and what it lacks, in words for whoever started us. Nothing of it is changed by asking. */
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf } from '@drover/base';
import { readFileIfThere } from '@drover/kube';
import { runCommand } from '../process/command.ts';

const commands = ['ip', 'iptables', 'mount', 'nsenter', 'unshare'];
const controllers = ['cpu', 'memory', 'pids'];
const cgroupRoot = '/sys/fs/cgroup';

/** Undefined where a node can run. What only shows by doing it, such as a file system that carries no other, is told by the start. */
export async function whyNoNode(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a node needs Linux';
  if (process.getuid?.() !== 0) return 'a node needs root';
  const missing = (await Promise.all(commands.map(async name => ((await isInstalled(name)) ? [] : [name])))).flat();
  if (missing.length > 0) return `a node needs ${missing.join(', ')}, which this machine does not have`;
  const lacking = await whyNoCgroups();
  if (lacking !== undefined) return lacking;
  try {
    await runCommand('unshare', ['--net', '--mount', '--pid', '--ipc', '--uts', '--fork', 'true']);
  } catch (error) {
    return `no namespaces can be made here: ${messageOf(error)}`;
  }
  return undefined;
}

async function isInstalled(name: string): Promise<boolean> {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const is = await access(join(dir, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (is) return true;
  }
  return false;
}

async function whyNoCgroups(): Promise<string | undefined> {
  const unified = await readFileIfThere(join(cgroupRoot, 'cgroup.controllers'));
  const there = unified?.trim().split(' ') ?? (await readdir(cgroupRoot).catch(() => []));
  const lacking = controllers.filter(name => !there.includes(name));
  if (lacking.length > 0) return `the control groups here have no ${lacking.join(', ')}`;
  for (const dir of unified === undefined ? controllers.map(name => join(cgroupRoot, name)) : [cgroupRoot]) {
    const can = await access(dir, constants.W_OK).then(
      () => true,
      () => false,
    );
    const [, options = ''] =
      (await readFile('/proc/self/mounts', 'utf8')).match(new RegExp(`^\\S+ ${dir} \\S+ (\\S+)`, 'm')) ?? [];
    if (!can || options.split(',').includes('ro')) return `${dir} can't be written to`;
  }
  return undefined;
}
