/**
 * The network of a test cluster: a bridge on this machine with an address that nodes and pods reach, and one network
 * namespace per node behind it. There is no way out: nodes' default route has no gateway.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, unavailable } from '@drover/base';
import { runCommand as run } from '@drover/engine';

const slotsDir = '/run/drover-test-clusters';

export interface TestNetwork extends AsyncDisposable {
  /** A short name for all that belongs to this cluster, e.g. `drt7`. */
  readonly name: string;
  /** This machine's address on the bridge. */
  readonly hostAddress: string;
  readonly podCidr: string;
  addNode(index: number): Promise<{ readonly namespace: string; readonly address: string }>;
  /** How the pods of a node are reached from this machine and from the other nodes. */
  routePods(podCidr: string, nodeAddress: string): Promise<void>;
}

/** Takes a free slot (10.200.N.0/24 for nodes, 10.N+100.0.0/16 for pods) after clearing away what killed runs left. */
export async function createNetwork(onStale: (name: string) => Promise<void>): Promise<TestNetwork> {
  await mkdir(slotsDir, { recursive: true });
  await sweep(onStale);
  const slot = await takeSlot();
  const name = `drt${slot}`;
  const hostAddress = `10.200.${slot}.1`;
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(join(slotsDir, String(slot)), { recursive: true, force: true }));
  undo.defer(() => removeLinks(name));
  await run('ip', ['link', 'add', name, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${hostAddress}/24`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
  const made = undo.move();
  const nodes: { namespace: string; address: string }[] = [];
  const routes: { podCidr: string; nodeAddress: string }[] = [];
  const route = (from: { namespace: string }, podCidr: string, nodeAddress: string) =>
    run('ip', ['-n', from.namespace, 'route', 'replace', podCidr, 'via', nodeAddress]);
  return {
    name,
    hostAddress,
    podCidr: `10.${100 + slot}.0.0/16`,
    async addNode(index) {
      const namespace = `${name}n${index}`;
      const address = `10.200.${slot}.${index + 1}`;
      const inside = (...args: string[]) => run('ip', ['-n', namespace, ...args]);
      await run('ip', ['netns', 'add', namespace]);
      await run('ip', [...['link', 'add', namespace, 'type', 'veth'], ...['peer', 'name', 'eth0', 'netns', namespace]]);
      await run('ip', ['link', 'set', namespace, 'master', name, 'up']);
      await inside('link', 'set', 'lo', 'up');
      await inside('address', 'add', `${address}/24`, 'dev', 'eth0');
      await inside('link', 'set', 'eth0', 'up');
      // On the link, without a gateway: service addresses need some route to be rewritten, the world gets none.
      await inside('route', 'add', 'default', 'dev', 'eth0');
      const node = { namespace, address };
      for (const { podCidr, nodeAddress } of routes) await route(node, podCidr, nodeAddress);
      nodes.push(node);
      return node;
    },
    async routePods(podCidr, nodeAddress) {
      await run('ip', ['route', 'replace', podCidr, 'via', nodeAddress]);
      for (const other of nodes) if (other.address !== nodeAddress) await route(other, podCidr, nodeAddress);
      routes.push({ podCidr, nodeAddress });
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

async function takeSlot(): Promise<number> {
  const inUse = `${await run('ip', ['-o', 'address'])}${await run('ip', ['route'])}`;
  for (let slot = 1; slot < 100; slot++) {
    if (inUse.includes(`10.200.${slot}.`) || inUse.includes(`10.${100 + slot}.`)) continue;
    const dir = join(slotsDir, String(slot));
    try {
      await mkdir(dir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    await writeFile(join(dir, 'owner'), `${process.pid} ${await startOf(process.pid)}`);
    return slot;
  }
  throw unavailable('no free address range for a test cluster');
}

/** Clears away slots whose owner was killed. */
async function sweep(onStale: (name: string) => Promise<void>): Promise<void> {
  for (const slot of await readdir(slotsDir)) {
    const owner = await readFile(join(slotsDir, slot, 'owner'), 'utf8').catch(() => undefined);
    // Without an owner it is being taken at this moment.
    if (owner === undefined) continue;
    const [pid = '', startedAt = ''] = owner.split(' ');
    if ((await startOf(Number(pid))) === startedAt) continue;
    await removeLinks(`drt${slot}`);
    await onStale(`drt${slot}`);
    await rm(join(slotsDir, slot), { recursive: true, force: true });
  }
}

async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

async function removeLinks(name: string): Promise<void> {
  const namespaces = (await run('ip', ['netns', 'list'])).split('\n').map(line => line.split(' ')[0]!);
  for (const namespace of namespaces.filter(found => found.startsWith(`${name}n`))) {
    await run('ip', ['netns', 'delete', namespace]);
  }
  const links = [...(await run('ip', ['-o', 'link'])).matchAll(/^\d+: ([^:@]+)/gm)].map(([, link]) => link!);
  // A namespace that somebody still lives in keeps its end; without ours it is gone as well.
  const own = links.filter(link => link === name || link.startsWith(`${name}n`));
  for (const link of own) {
    await run('ip', ['link', 'delete', link]).catch(error => {
      // The kernel takes them away by itself a moment after their namespace.
      if (!/Cannot find device/.test(messageOf(error))) throw error;
    });
  }
}
