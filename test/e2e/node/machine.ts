/**
 * A machine for a node to live on, without a hypervisor: network, mount, process, host-name and IPC namespaces of its own. All
 * that runs in it ends with its first process, and that one ends with us, however we end.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { internal, until } from '@drover/base';
import { type Guarded, startGuarded, stopProcess } from '@drover/engine';
import { run } from './command.ts';

export interface Machine extends AsyncDisposable {
  readonly name: string;
  readonly stateDir: string;
  readonly cgroup: string;
  /** Starts a process in it, output to `logs/NAME.log`. */
  start(name: string, command: string, args: readonly string[]): Promise<void>;
  /** Runs a command in it to its end and gives its stdout. */
  run(command: string, args: readonly string[]): Promise<string>;
  /** The last of a process's output, for errors. */
  logTail(name: string): Promise<string>;
}

export interface MachineOptions {
  readonly name: string;
  readonly namespace: string;
  readonly stateDir: string;
  readonly cgroup: string;
  /** First process: waits and reaps. */
  readonly init: string;
}

// State that Kubernetes keeps in fixed places goes to directories of the test's own; / is shared inside, as kubelet needs it
// for mounts that containers shall see, and private towards the machine around.
const setup = `
set -e
state=$1; name=$2; init=$3
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock "$state/lib" "$state/log"
mount --bind "$state/lib" /var/lib
mount --bind "$state/log" /var/log
hostname "$name"
echo 1 >/proc/sys/net/ipv4/ip_forward
touch "$state/ready"
exec "$init"
`;

/** Makes the machine and waits until its first process stands. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { name, namespace, stateDir, cgroup, init } = options;
  const logDir = join(stateDir, 'logs');
  await mkdir(logDir, { recursive: true });
  await createCgroup(cgroup);
  const logPath = (process: string) => join(logDir, `${process}.log`);
  const spawn = async (process: string, command: string, args: readonly string[]): Promise<Guarded> => {
    const fd = openSync(logPath(process), 'a');
    try {
      return await startGuarded({ command, args, env: environment, stdout: fd, stderr: fd, orphanGraceSeconds: 0 });
    } finally {
      closeSync(fd);
    }
  };
  const logTail = async (process: string) => (await readFile(logPath(process), 'utf8').catch(() => '')).slice(-3000);

  const outer = await spawn('init', 'nsenter', [
    `--net=/run/netns/${namespace}`,
    ...['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['--propagation', 'private', '/bin/sh', '-c', setup, 'setup', stateDir, name, init],
  ]);
  let over: string | undefined;
  void outer.ended.then(async ending => {
    over = `${ending}: ${await logTail('init')}`;
  });
  await until(`the machine ${name}`, async () => {
    if (over !== undefined) throw internal(`the machine ${name} ended with ${over}`);
    return (await readdir(stateDir)).includes('ready');
  });
  const { pid } = outer.identity;
  const [inner] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  const enter = ['--target', inner!, '--mount', '--uts', '--ipc', '--net', '--pid'];
  return {
    name,
    stateDir,
    cgroup,
    async start(process, command, args) {
      await spawn(process, 'nsenter', [...enter, command, ...args]);
    },
    run: (command, args) => run('nsenter', [...enter, command, ...args], { env: environment }),
    logTail,
    async [Symbol.asyncDispose]() {
      // The first process of a PID namespace takes all others with it; unshare ends when it is gone.
      process.kill(Number(inner), 'SIGKILL');
      await outer.ended;
      await stopProcess(outer.identity, 1_000);
      await removeCgroup(cgroup);
    },
  };
}

const environment = { PATH: process.env['PATH'], HOME: '/root' };
const cgroupRoot = '/sys/fs/cgroup';

/** cgroup v2 has one tree; v1 has a tree per controller and beside them, where there are both, the empty unified one. */
async function hierarchies(): Promise<string[]> {
  const entries = await readdir(cgroupRoot, { withFileTypes: true });
  if (entries.some(entry => entry.name === 'cgroup.controllers')) return [cgroupRoot];
  return entries.filter(entry => entry.isDirectory()).map(entry => join(cgroupRoot, entry.name));
}

export async function createCgroup(name: string): Promise<void> {
  for (const root of await hierarchies()) {
    const dir = join(root, name);
    await mkdir(dir, { recursive: true });
    if (!root.endsWith('/cpuset')) continue;
    // A new cpuset is empty and takes no process until it is told its share.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      await writeFile(join(dir, file), await readFile(join(root, file)));
    }
  }
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

async function removeTree(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  await rmdir(dir);
}
