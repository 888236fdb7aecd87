/**
 * A machine for a node to live on, without a hypervisor: network, mount, process, host-name and IPC namespaces of its own, and all that
 * Kubernetes keeps in fixed places in directories of its own. All that runs in it ends with its first process, and that one ends with
 * us, however we end: nothing of its mounts, and of a network that it was not given, is left then.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { internal, type Log, silentLog, until } from '@drover/base';
import { writeFileAtomic } from '@drover/kube';
import { createCgroup, isCgroupBusy, removeCgroup } from '../process/cgroup.ts';
import { runCommand } from '../process/command.ts';
import { startGuarded } from '../process/guarded.ts';
import { identify, type ProcessIdentity } from '../process/identity.ts';
import { lastLines, openLogFile, rotateLogFile } from '../process/log-file.ts';
import { stopProcess } from '../process/stop.ts';
import { endLeftovers, SupervisedProcess } from '../process/supervise.ts';

export interface Machine extends AsyncDisposable {
  readonly name: string;
  readonly stateDir: string;
  readonly cgroup: string;
  /** Its first process, by this machine's count: the way into its namespaces. */
  readonly pid: number;
  /** Keeps a process running in it until it ends; output to `logs/NAME.log`. */
  start(name: string, command: string, args: readonly string[], options: StartOptions): SupervisedProcess;
  /** Runs a command in it to its end and gives its stdout. */
  run(command: string, args: readonly string[]): Promise<string>;
  /** The last of a process's output, for errors. */
  logTail(name: string): Promise<string>;
  /** How its first process ended, and with it the machine. */
  readonly ended: Promise<string>;
  /** Asks all that runs in it to end, and waits so long for containers that do; the machine itself stays. */
  quiesce(graceMs: number): Promise<void>;
}

export interface StartOptions {
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly env?: NodeJS.ProcessEnv;
}

export interface MachineOptions {
  readonly name: string;
  /** Kept: a machine that is made here again finds what it had on its disk. */
  readonly stateDir: string;
  readonly cgroup: string;
  /** A network namespace of `ip netns` to be in; without one it has a new one that nothing leads into. */
  readonly namespace?: string;
  /** Seen inside under the same path, wherever it is. */
  readonly toolsDir?: string;
  readonly log?: Log;
}

// What is kept for good stays reachable by its path even where it lies below what is hidden. / is shared inside, as the kubelet needs it
// for mounts that containers shall see, and private towards the machine around. Kubelets set some of the kernel's settings, which
// are one for all namespaces: here they set a file.
// A connection whose far end was killed first would hold the network, and the link to it, for minutes after the last process.
const setup = `
set -e
state=$1; name=$2; tools=$3
exec 3<"$state" 4<"$tools"
mkdir -p "$state/try/lower" "$state/try/upper" "$state/try/work" "$state/try/all" "$state/lib" "$state/log"
cd "$state/try"
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work all
umount all
cd /
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock /run/sysctl
lib=$state/lib; log=$state/log
keep() {
  [ "$1" -ef "/proc/self/fd/$2" ] && return
  mkdir -p "$1"
  mount --no-canonicalize --bind "/proc/self/fd/$2" "$1"
}
keep "$state" 3
mount --bind "$lib" /var/lib
keep "$state" 3
mount --bind "$log" /var/log
keep "$state" 3
keep "$tools" 4
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  file=/proc/sys/$setting
  [ -e "$file" ] || continue
  own=/run/sysctl/$(echo "$setting" | tr / .)
  cat "$file" >"$own"
  mount --bind "$own" "$file"
done
hostname "$name"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries
touch "$state/ready"
exec 3<&- 4<&-
while :; do sleep 86400 || :; done
`;

const first = 'machine';

/** Makes the machine and waits until its first process stands. Throws InternalError with what the system said where it can't be. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { name, namespace, stateDir, cgroup, toolsDir = stateDir, log = silentLog } = options;
  const logDir = join(stateDir, 'logs');
  const runDir = join(stateDir, 'run');
  await mkdir(logDir, { recursive: true, mode: 0o700 });
  await clearMachine({ stateDir, cgroup, log });
  await createCgroup(cgroup);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeCgroup(cgroup));
  const logPath = (process: string) => join(logDir, `${process}.log`);
  const logTail = (process: string) =>
    lastLines(logPath(process), 30).then(
      lines => lines.join('\n'),
      () => '',
    );

  using logFile = await openLogFile(logPath(first));
  await rotateLogFile(logFile.path);
  const network = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`];
  const [command, ...args] = [
    ...network,
    ...['unshare', '--mount', '--uts', '--ipc', '--pid', ...(namespace === undefined ? ['--net'] : [])],
    ...['--fork', '--kill-child', '--mount-proc', '--propagation', 'private'],
    ...['/bin/sh', '-c', setup, 'setup', stateDir, name, toolsDir],
  ];
  const output = { stdout: logFile.fd, stderr: logFile.fd };
  const outer = await startGuarded({ command: command!, args, env: environment, ...output, orphanGraceSeconds: 0 });
  const { pid } = outer.identity;
  let inner: ProcessIdentity | undefined;
  undo.defer(async () => {
    // The first process of a PID namespace takes all others with it; unshare ends when it is gone.
    if (inner !== undefined) await stopProcess(inner, 0);
    await stopProcess(outer.identity, 1_000);
    await outer.ended;
    await rm(join(runDir, `${first}.pid`), { force: true });
  });
  await writeFileAtomic(join(runDir, `${first}.pid`), JSON.stringify(outer.identity));
  let over: string | undefined;
  void outer.ended.then(async ending => {
    over = `${ending}: ${(await logTail(first)).split('\n').at(-1)}`;
  });
  await until(`the machine ${name}`, async () => over !== undefined || (await readdir(stateDir)).includes('ready'));
  const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).trim().split(' ');
  inner = child ? await identify(Number(child)) : undefined;
  if (!inner) throw internal(`the machine ${name} ended with ${over ?? (await outer.ended)}`);

  const enter = ['--target', String(inner.pid), '--mount', '--uts', '--ipc', '--net', '--pid'];
  const supervised: SupervisedProcess[] = [];
  // Only told to be kept no longer: what they keep ends with the machine.
  undo.defer(async () => {
    await Promise.all(supervised.map(process => process.stop()));
  });
  const running = undo.move();
  return {
    name,
    stateDir,
    cgroup,
    pid: inner.pid,
    start(process, command, args, { probe, env }) {
      const started = new SupervisedProcess({
        name: process,
        command: 'nsenter',
        args: [...enter, command, ...args],
        env: { ...environment, ...env },
        runDir,
        logDir,
        log,
        probe,
      });
      supervised.push(started);
      started.start();
      return started;
    },
    run: (command, args) => runCommand('nsenter', [...enter, command, ...args], { env: environment }),
    logTail,
    ended: outer.ended,
    async quiesce(graceMs) {
      await Promise.all(supervised.map(process => process.stop()));
      await runCommand('nsenter', [...enter, '/bin/sh', '-c', 'kill -TERM -1'], { env: environment });
      const deadline = performance.now() + graceMs;
      const isOver = async () => performance.now() > deadline || !(await isCgroupBusy(cgroup));
      await until('containers to end', isOver, { timeoutMs: graceMs + 5_000 });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Takes away what a machine that was killed in this directory has left. */
export async function clearMachine(options: Pick<MachineOptions, 'stateDir' | 'cgroup' | 'log'>): Promise<void> {
  const { stateDir, cgroup, log = silentLog } = options;
  await endLeftovers(join(stateDir, 'run'), [first], log);
  await rm(join(stateDir, 'ready'), { force: true });
  await removeCgroup(cgroup);
}

const environment = { PATH: process.env['PATH'], HOME: '/root' };
