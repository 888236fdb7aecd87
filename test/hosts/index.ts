/**
 * Real hosts for tests of provisioning: a root file system each, systemd as first process, sshd, on a network of their own that leads
 * nowhere else. Gone without a trace when disposed; what a killed run left is cleared away by the next.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { internal, messageOf, until } from '@drover/base';
import { createCgroup, type Guarded, removeCgroup, runCommand as run, startGuarded, stopProcess } from '@drover/engine';
import { createNetwork, type TestNetwork } from '../e2e/node/network.ts';
import { bootScript } from './boot.ts';
import { ensureRootFs } from './root-fs.ts';

export { clustersSkipReason, hostsSkipReason } from './skip.ts';

export interface TestHost {
  readonly name: string;
  readonly address: string;
  /** Of its ed25519 key, as ssh prints it: `SHA256:…`. */
  readonly fingerprint: string;
  /** For kubelets: hosts of one machine share its control groups. */
  readonly cgroup: string;
  /** Puts a file of this machine into its /opt. */
  put(from: string, name: string): Promise<void>;
  /** Runs a command on it, as root and not over SSH; its stdout. */
  exec(argv: readonly string[]): Promise<string>;
  /** As if the power went. Its state is lost with `forget`. */
  stop(options?: { readonly forget?: boolean }): Promise<void>;
  /** Boots it again. */
  start(): Promise<void>;
}

export interface TestHosts extends AsyncDisposable {
  readonly hosts: readonly TestHost[];
  /** OpenSSH text: lets `root` and `admin` (by sudo) in. */
  readonly privateKey: string;
  /** This machine's address that the hosts reach. */
  readonly machineAddress: string;
  /** One more, on the same network. */
  add(): Promise<TestHost>;
}

/** For kubelets of test hosts: all share the disk of this machine, and how full that is must not be what a test is about. */
export const roomyKubelet = {
  'eviction-hard': 'memory.available<50Mi,nodefs.available<1%,imagefs.available<1%',
  'image-gc-high-threshold': '100',
  'image-gc-low-threshold': '99',
};

const prefix = 'drover-test-hosts-';
const mostHosts = 9;

/** Boots `count` hosts and waits until sshd answers on each. */
export async function startHosts({ count, signal }: { count: number; signal?: AbortSignal }): Promise<TestHosts> {
  await using undo = new AsyncDisposableStack();
  const base = await ensureRootFs(signal);
  const network = undo.use(await createNetwork(removeStale));
  const dir = await mkdtemp(join(tmpdir(), `${prefix}${network.name}-`));
  undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const key = join(dir, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  const authorized = await readFile(`${key}.pub`, 'utf8');
  const hosts: TestHost[] = [];
  const addTo = async (stack: AsyncDisposableStack) => {
    const host = stack.use(await bootHost({ network, base, dir, authorized, index: hosts.length + 1 }));
    hosts.push(host);
    return host;
  };
  for (let index = 0; index < count; index++) await addTo(undo);
  const privateKey = await readFile(key, 'utf8');
  const running = undo.move();
  return {
    hosts,
    privateKey,
    machineAddress: network.hostAddress,
    add: () => addTo(running),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function bootHost(options: {
  network: TestNetwork;
  base: string;
  dir: string;
  authorized: string;
  index: number;
}): Promise<TestHost & AsyncDisposable> {
  const { network, base, dir, authorized, index } = options;
  const { namespace, address } = await network.addNode(index);
  const name = `host-${index}`;
  const state = join(dir, name);
  await prepareState(state, authorized);
  const hostKey = join(state, 'upper/etc/ssh/ssh_host_ed25519_key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', hostKey]);
  const [, fingerprint = ''] = (await run('ssh-keygen', ['-l', '-f', `${hostKey}.pub`])).split(' ');

  let running: { readonly outer: Guarded; readonly inner: number } | undefined;
  const stop = async (how: { readonly forget?: boolean } = {}) => {
    if (running) {
      // The first process of a PID namespace takes all others with it.
      endProcess(running.inner);
      await running.outer.ended;
      await stopProcess(running.outer.identity, 1_000);
      running = undefined;
      await removeCgroup(namespace);
      await forgetNetwork(namespace);
    }
    if (how.forget) {
      await rm(join(state, 'data'), { recursive: true, force: true });
      await rm(join(state, 'upper/etc/kubernetes'), { recursive: true, force: true });
      await rm(join(state, 'upper/etc/drover'), { recursive: true, force: true });
      for (const unit of await readdir(join(state, 'upper/etc/systemd/system')).catch(() => []))
        if (unit.startsWith('drover-')) await rm(join(state, 'upper/etc/systemd/system', unit));
    }
  };
  const start = async () => {
    if (running) return;
    running = await boot({ state, base, name, namespace });
    try {
      await until(`${name} to have booted`, () => isUp(running!.inner), { timeoutMs: 120_000, everyMs: 100 });
    } catch (error) {
      const said = await readFile(join(state, 'console.log'), 'utf8').catch(() => '');
      await stop();
      throw internal(`${messageOf(error)}: ${said.slice(-2000)}`, error);
    }
  };
  await start();
  return {
    name,
    address,
    fingerprint,
    cgroup: namespace,
    exec: argv => run('nsenter', [...enter(running!.inner), ...argv], { env: hostEnvironment }),
    async put(from, name) {
      await mkdir(join(state, 'data/opt'), { recursive: true });
      await copyFile(from, join(state, 'data/opt', name));
    },
    stop,
    start,
    [Symbol.asyncDispose]: () => stop(),
  };
}

async function prepareState(state: string, authorized: string): Promise<void> {
  for (const [home, uid] of [
    ['root', 0],
    ['home/admin', 1000],
  ] as const) {
    const ssh = join(state, 'upper', home, '.ssh');
    // Modes of parents too: the upper folder is the host's `/`.
    await mkdir(ssh, { recursive: true, mode: 0o755 });
    await writeFile(join(ssh, 'authorized_keys'), authorized, { mode: 0o600 });
    const owned = home === 'root' ? [ssh] : [join(state, 'upper', home), ssh];
    await run('chown', ['-R', `${uid}:${uid}`, ...owned]);
    await run('chmod', ['700', ...owned]);
  }
  await mkdir(join(state, 'upper/etc/ssh'), { recursive: true });
  await writeFile(join(state, 'upper/etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
}

async function boot(options: {
  state: string;
  base: string;
  name: string;
  namespace: string;
}): Promise<{ outer: Guarded; inner: number }> {
  const { state, base, name, namespace } = options;
  await createCgroup(namespace);
  // Its control groups first: the new namespace takes them as its root.
  const intoGroup = `for c in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/; do [ -e "$c/${namespace}/cgroup.procs" ] && echo $$ >"$c/${namespace}/cgroup.procs"; done`;
  const script = `${intoGroup}\nexec unshare --mount --uts --ipc --pid --cgroup --fork --kill-child --propagation private /bin/sh -c "$1" boot "$2" "$3" "$4"`;
  const log = await open(join(state, 'console.log'), 'a');
  const outer = await startGuarded({
    command: 'nsenter',
    args: [`--net=/run/netns/${namespace}`, '/bin/sh', '-c', script, 'host', bootScript, state, base, name],
    env: { PATH: process.env['PATH'] },
    stdout: log.fd,
    stderr: log.fd,
    orphanGraceSeconds: 0,
  });
  await log.close();
  let over: string | undefined;
  void outer.ended.then(ending => {
    over = String(ending);
  });
  const inner = await until(`the first process of ${name}`, async () => {
    if (over !== undefined) throw internal(`${name} ended with ${over}`);
    const { pid } = outer.identity;
    const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    return Number(child);
  });
  return { outer, inner };
}

/** It may have ended by itself. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What a machine that loses its power loses, and a network namespace that stays does not. */
async function forgetNetwork(namespace: string): Promise<void> {
  const links = [...(await run('ip', ['-n', namespace, '-o', 'link'])).matchAll(/^\d+: ([^:@]+)/gm)].map(
    ([, link]) => link!,
  );
  for (const link of links.filter(name => name !== 'lo' && name !== 'eth0'))
    await run('ip', ['-n', namespace, 'link', 'delete', link]).catch(() => undefined);
  for (const table of ['filter', 'nat', 'mangle']) {
    await run('ip', ['netns', 'exec', namespace, 'iptables', '-t', table, '-F']);
    await run('ip', ['netns', 'exec', namespace, 'iptables', '-t', table, '-X']);
  }
}

async function isUp(pid: number): Promise<boolean> {
  const argv = [...enter(pid), 'systemctl', 'is-active', 'ssh.service', 'multi-user.target'];
  return (await run('nsenter', argv, { env: hostEnvironment })).trim() === 'active\nactive';
}

const hostEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
const enter = (pid: number): string[] => [
  ...['--target', String(pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'],
  ...['--root', '--wd', '--'],
];

async function removeStale(name: string): Promise<void> {
  for (const found of await readdir(tmpdir())) {
    if (found.startsWith(`${prefix}${name}-`)) await rm(join(tmpdir(), found), { recursive: true, force: true });
  }
  for (let index = 1; index <= mostHosts; index++) await removeCgroup(`${name}n${index}`);
}
