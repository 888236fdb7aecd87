/** Hosts and how they are reached: a node's own access wins over the file's. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { messageOf, Secret } from '@drover/base';
import type { NodeSpec, Role, SshAccess } from './spec.ts';
import { text, texts } from './tree.ts';
import type { Problem, Tree } from './walk.ts';

interface Reading {
  readonly dir: string;
  readonly problems: Problem[];
}

export async function readNodes(tree: Tree, reading: Reading): Promise<NodeSpec[]> {
  const nodes: NodeSpec[] = [];
  for (const [index, node] of ((tree['nodes'] as Tree[] | undefined) ?? []).entries()) {
    const field = `nodes[${index}]`;
    const error = (name: string, message: string) =>
      reading.problems.push({ field: `${field}.${name}`, severity: 'error', message });
    const address = text(node, 'address');
    if (!address) error('address', 'is missing: where the host is reached');
    if (!text(node, 'user')) error('user', 'is missing: who signs in over SSH, root or somebody with sudo');
    const roles = texts(node, 'role');
    if (roles.length === 0) error('role', 'is missing: any of etcd, controlplane, worker');
    for (const role of roles)
      if (!isRole(role)) error('role', `${JSON.stringify(role)} is none of etcd, controlplane, worker`);
    const name = (text(node, 'hostname_override') ?? address ?? '').toLowerCase();
    if (name.length > 253 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name))
      error('hostname_override', `${JSON.stringify(name)} is no name for a node: lower-case letters, digits, - and .`);
    nodes.push({
      name,
      address: address ?? '',
      internalAddress: text(node, 'internal_address') ?? address ?? '',
      roles: [...new Set(roles.filter(isRole))],
      ssh: await readSsh(node, { ...reading, tree, field }),
      labels: (node['labels'] as Record<string, string> | undefined) ?? {},
      taints: taintsOf(node, field, reading.problems),
    });
  }
  return nodes;
}

/** `tree` is the whole file, whose access counts where this one has none. */
export async function readSsh(
  own: Tree,
  { tree, dir, field, problems }: Reading & { readonly tree: Tree; readonly field: string },
): Promise<SshAccess> {
  const useAgent = own['ssh_agent_auth'] === true || tree['ssh_agent_auth'] === true;
  const file = async (option: 'ssh_key' | 'ssh_cert') => {
    // An agent has its own.
    if (useAgent) return undefined;
    const inline = text(own, option);
    if (inline) return inline;
    const given = text(own, `${option}_path`) ?? text(tree, `${option}_path`);
    const path = given ?? (option === 'ssh_key' ? '~/.ssh/id_rsa' : undefined);
    if (path === undefined) return undefined;
    try {
      return await readFile(resolve(dir, path.replace(/^~(?=\/)/, homedir())), 'utf8');
    } catch (error) {
      problems.push({
        field: `${field}.${option}_path`,
        severity: 'error',
        message: `${path} can't be read: ${messageOf(error)}`,
      });
      return undefined;
    }
  };
  const [key, certificate] = await Promise.all([file('ssh_key'), file('ssh_cert')]);
  const port = Number(text(own, 'port') ?? 22);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    problems.push({ field: `${field}.port`, severity: 'error', message: 'must be from 1 to 65535' });
  return {
    address: text(own, 'address') ?? '',
    port,
    user: text(own, 'user') ?? '',
    privateKey: key ? new Secret(key) : undefined,
    certificate,
    useAgent,
  };
}

const isRole = (role: string): role is Role => role === 'etcd' || role === 'controlplane' || role === 'worker';

function taintsOf(node: Tree, field: string, problems: Problem[]): NodeSpec['taints'] {
  const taints = ((node['taints'] as Tree[] | undefined) ?? []).map(taint => ({
    key: text(taint, 'key') ?? '',
    value: text(taint, 'value') ?? '',
    effect: text(taint, 'effect') ?? '',
  }));
  const seen = new Set<string>();
  for (const [index, { key, effect }] of taints.entries()) {
    const at = `${field}.taints[${index}]`;
    const error = (message: string) => problems.push({ field: at, severity: 'error', message });
    if (key === '') error('has no key');
    if (!['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect))
      error('its effect must be NoSchedule, PreferNoSchedule or NoExecute');
    if (seen.has(`${key}:${effect}`)) error(`${key}:${effect} is there twice`);
    seen.add(`${key}:${effect}`);
  }
  return taints;
}
