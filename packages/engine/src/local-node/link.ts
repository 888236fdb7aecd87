/**
 * The link between this machine and the local node: a pair of virtual interfaces, known as ours by a note on it, and a route to the pods.
 * It leads to the node alone: the node has no route to anywhere else, so nobody else gets an answer from it, and nothing of
 * the machine's own forwarding, filtering or translation is touched. It goes with the node's network namespace.
 */
import { join } from 'node:path';
import { unavailable } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import { defaultCacheDir } from '../binaries/cache.ts';
import { runCommand } from '../process/command.ts';
import { holdLock } from '../process/lock.ts';
import { type Addresses, addressesIn, chooseRange } from './range.ts';

const prefix = 'drover-';
const linkName = (addresses: Addresses): string => `${prefix}${addresses.prefix.replace('.', '-')}`;

/**
 * Takes a range of addresses for the node whose state is in this directory, the one it had before where that is free, and holds it by
 * the link. Takes away first what an earlier run of it left. Throws ServiceUnavailable where no range is free.
 */
export async function takeAddresses(stateDir: string): Promise<Addresses> {
  await removeLinks(stateDir);
  const remembered = join(stateDir, 'addresses.json');
  // Two that start at once would both find the same range free.
  await using _ = await holdLock(join(defaultCacheDir(), 'node-addresses.lock'));
  const addresses = (await runCommand('ip', ['-4', '-o', 'address']))
    .split('\n')
    .map(line => line.split(/\s+/)[3] ?? '');
  const routes = (await runCommand('ip', ['-4', 'route', 'show', 'table', 'all']))
    .split('\n')
    .flatMap(line => line.split(/\s+/, 2));
  const before = await readFileIfThere(remembered);
  const free = chooseRange(before?.trim(), [...addresses, ...routes]);
  if (free === undefined) throw unavailable('no range of private addresses is free on this machine');
  const taken = addressesIn(free);
  await makeLink(taken, stateDir);
  await writeFileAtomic(remembered, `${free}\n`);
  return taken;
}

/** The machine's end has its address, and its route to the pods; the other end is still on the machine too. */
async function makeLink(addresses: Addresses, stateDir: string): Promise<void> {
  const { host, node, podCidr } = addresses;
  const name = linkName(addresses);
  await runCommand('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`]);
  await runCommand('ip', ['link', 'set', name, 'alias', aliasOf(stateDir)]);
  await runCommand('ip', ['address', 'add', `${host}/30`, 'dev', name]);
  await runCommand('ip', ['link', 'set', name, 'up']);
  await runCommand('ip', ['route', 'add', podCidr, 'via', node, 'dev', name]);
}

/** Puts the other end into the network namespace of a process, as its `eth0`; makes the link again where it went with another. */
export async function leadInto(pid: number, addresses: Addresses, options: { stateDir: string; serviceCidr: string }) {
  const name = linkName(addresses);
  if (!(await ownLinks(options.stateDir)).includes(name)) await makeLink(addresses, options.stateDir);
  await runCommand('ip', ['link', 'set', `${name}p`, 'netns', String(pid), 'name', 'eth0']);
  const inside = (...args: string[]) => runCommand('nsenter', ['--target', String(pid), '--net', 'ip', ...args]);
  await inside('link', 'set', 'lo', 'up');
  await inside('address', 'add', `${addresses.node}/30`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  // Service addresses need some route to be rewritten.
  await inside('route', 'add', options.serviceCidr, 'dev', 'eth0');
}

/** Takes away every link of the node whose state is in this directory. */
export async function removeLinks(stateDir: string): Promise<void> {
  for (const name of await ownLinks(stateDir))
    await runCommand('ip', ['link', 'delete', name]).catch(async error => {
      // The kernel takes it away by itself a moment after the namespace of its other end.
      if ((await ownLinks(stateDir)).includes(name)) throw error;
    });
}

async function ownLinks(stateDir: string): Promise<string[]> {
  const links = JSON.parse((await runCommand('ip', ['-j', 'link', 'show', 'type', 'veth'])) || '[]') as {
    readonly ifname?: string;
    readonly ifalias?: string;
  }[];
  return links.flatMap(({ ifname, ifalias }) =>
    ifname?.startsWith(prefix) && ifalias === aliasOf(stateDir) ? [ifname] : [],
  );
}

/** The kernel keeps 255 bytes; the end of a path tells more of it. */
const aliasOf = (stateDir: string): string => `drover ${stateDir.slice(-200)}`;
