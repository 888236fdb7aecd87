/**
 * A node with pods, for tests of network policies, without a cluster: a network namespace that forwards, one for each pod behind it,
 * the kernel's own nftables and the program that bundles have.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { runCommand as run } from '@drover/engine';

/** Of network namespaces; the process whose they are follows. */
const prefix = 'drnp';
const program = fileURLToPath(new URL('policy-pod.ts', import.meta.url));

export interface PolicyWorld extends AsyncDisposable {
  /** Sets the rules that these objects give on node `here`. */
  apply(objects: readonly object[]): Promise<void>;
  /** `web>db:tcp/80`: whether something came back, or our own rules dropped it. */
  passes(flow: string): Promise<boolean>;
  /** What the program makes of them. */
  rules(objects: readonly object[]): Promise<string>;
  nft(...args: string[]): Promise<string>;
}

interface Peer {
  readonly child: ChildProcess;
  readonly answered: Set<string>;
}

/** `addresses`: of each pod, by its name; `node` is the node itself. */
export async function startPolicyWorld(
  binary: string,
  addresses: Readonly<Record<string, string>>,
): Promise<PolicyWorld> {
  await using undo = new AsyncDisposableStack();
  await removeStale();
  const node = `${prefix}${process.pid}`;
  const dir = await mkdtemp(join(tmpdir(), 'drover-policy-'));
  undo.defer(() => rm(dir, { recursive: true }));
  await addNamespace(node, undo);
  await run('ip', ['netns', 'exec', node, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  const peers = new Map<string, Peer>();
  for (const [name, address] of Object.entries(addresses)) {
    if (name !== 'node') await addPod({ node, name, address }, undo);
    else await run('ip', ['-n', node, 'address', 'add', `${address}/32`, 'dev', 'lo']);
    peers.set(name, await startPeer(name === 'node' ? node : `${node}-${name}`, undo));
  }
  const nft = (...args: string[]) => run('ip', ['netns', 'exec', node, 'nft', ...args]);
  const dropped = async () =>
    [...(await nft('list', 'ruleset')).matchAll(/packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  const rules = async (objects: readonly object[]) => {
    await writeFile(join(dir, 'objects.json'), JSON.stringify({ kind: 'List', items: objects }));
    return await run(binary, ['--node', 'here', '--objects', join(dir, 'objects.json')]);
  };
  let dialled = 0;
  const made = undo.move();
  return {
    rules,
    nft,
    async apply(objects) {
      await writeFile(join(dir, 'rules.nft'), await rules(objects));
      await nft('-f', join(dir, 'rules.nft'));
    },
    async passes(flow) {
      const [, from = '', to = '', protocol = '', port = ''] = /^(.+)>(.+):(.+)\/(.+)$/.exec(flow) ?? [];
      const before = await dropped();
      const id = String(++dialled);
      const { child, answered } = peers.get(from)!;
      child.stdin!.write(`${id} ${protocol} ${addresses[to]} ${port}\n`);
      const decided = async () => answered.has(id) || (await dropped()) > before;
      await until(`${flow} to pass or to be dropped`, decided, { timeoutMs: 30_000, everyMs: 20 });
      const passed = answered.has(id);
      child.stdin!.write(`${id} end\n`);
      await until(`${flow} to be given up`, async () => answered.has(`${id} ended`), { everyMs: 5 });
      return passed;
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** What runs that were killed left. */
async function removeStale(): Promise<void> {
  // Another run may be just as far.
  for (const [name, pid] of (await run('ip', ['netns', 'list'])).matchAll(new RegExp(`^${prefix}(\\d+)\\S*`, 'gm')))
    if (!existsSync(`/proc/${pid}`)) await run('ip', ['netns', 'delete', name]).catch(() => undefined);
}

async function addNamespace(name: string, undo: AsyncDisposableStack): Promise<void> {
  await run('ip', ['netns', 'add', name]);
  undo.defer(async () => void (await run('ip', ['netns', 'delete', name])));
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
}

async function addPod(pod: { node: string; name: string; address: string }, undo: AsyncDisposableStack): Promise<void> {
  const { node, name, address } = pod;
  const namespace = `${node}-${name}`;
  await addNamespace(namespace, undo);
  await run('ip', ['-n', node, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  await run('ip', ['-n', node, 'link', 'set', name, 'up']);
  await run('ip', ['-n', node, 'route', 'add', address, 'dev', name]);
  await run('ip', ['netns', 'exec', node, 'sysctl', '-qw', `net.ipv4.conf.${name}.proxy_arp=1`]);
  await run('ip', ['-n', namespace, 'address', 'add', `${address}/32`, 'dev', 'eth0']);
  await run('ip', ['-n', namespace, 'link', 'set', 'eth0', 'up']);
  await run('ip', ['-n', namespace, 'route', 'add', 'default', 'dev', 'eth0']);
}

async function startPeer(namespace: string, undo: AsyncDisposableStack): Promise<Peer> {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  undo.defer(async () => {
    const ended = new Promise(resolve => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  });
  const answered = new Set<string>();
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => reject(new Error(`the peer in ${namespace} ended`)));
    createInterface(child.stdout).on('line', line => (line === 'ready' ? resolve() : answered.add(line)));
  });
  return { child, answered };
}
