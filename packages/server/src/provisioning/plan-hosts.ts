/**
 * Which hosts a cluster is to be made of, and what it waits for before it can be: a pure function of the cluster, its nodes, and which
 * of their agents are here.
 */
import { createHash } from 'node:crypto';
import type { Cluster, ManagedNode } from '@drover/api';
import { nodeNameOf } from '../connect/host-admission.ts';
import { taintPattern } from '../connect/params.ts';
import { requests } from './engine-config.ts';

type Json = Readonly<Record<string, unknown>>;

export interface HostPlan {
  /** As the config names hosts. */
  readonly hosts: readonly Json[];
  /** Names of those that registered and are to go. */
  readonly leaving: readonly ManagedNode[];
  /** Roles that no host has, for people. */
  readonly missing?: string;
  /** Hosts whose agents are not here, for people. */
  readonly away?: string;
  /** Their names. */
  readonly awayHosts: readonly string[];
  /** Whether none of the others is a control plane. */
  readonly isHeadless: boolean;
  /** Differs when anything differs that has to be brought about. */
  readonly digest: string;
}

const roles = ['etcd', 'controlplane', 'worker'] as const;

export function planHosts(
  cluster: Cluster,
  nodes: readonly ManagedNode[],
  { isConnected }: { readonly isConnected: (nodeName: string) => boolean },
): HostPlan {
  const config = cluster.spec?.rancherKubernetesEngineConfig ?? {};
  const registered = nodes.filter(isRegistered);
  const leaving = registered.filter(({ metadata }) => metadata.deletionTimestamp);
  const staying = registered
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .sort((a, b) => (nodeNameOf(a) < nodeNameOf(b) ? -1 : 1));
  const hosts = staying.map(hostOf);
  const wanted = Object.fromEntries(Object.entries(config).filter(([key]) => !requests.some(one => one === key)));
  const endpoint = cluster.spec?.localClusterAuthEndpoint?.enabled === true;
  const digest = createHash('sha256')
    .update(JSON.stringify([wanted, cluster.spec?.engineSecrets, hosts, endpoint]))
    .digest('hex')
    .slice(0, 32);
  const given = Array.isArray(config['nodes']) ? (config['nodes'] as Json[]) : [];
  const there = new Set([...given, ...hosts].flatMap(host => [host['role']].flat()));
  const missing = roles.filter(role => !there.has(role));
  const away = staying.map(nodeNameOf).filter(name => !isConnected(name));
  const controls = [...given, ...hosts].filter(host => [host['role']].flat().includes('controlplane'));
  const isHeadless = controls.every(host => away.includes(String(host['hostnameOverride'])));
  return {
    hosts,
    leaving,
    digest,
    awayHosts: away,
    isHeadless,
    ...(missing.length === 0 ? {} : { missing: missingText(missing, there.size > 0) }),
    ...(away.length === 0 ? {} : { away: `waiting for the agent of ${listed(away)} to connect (${whereToLook})` }),
  };
}

const whereToLook = 'on the host: journalctl -u drover-node-agent';

function missingText(missing: readonly string[], isBegun: boolean): string {
  const wanted = listed(missing.map(role => `the role ${role}`));
  return isBegun
    ? `waiting for a host with ${wanted}: run the node command on one`
    : `waiting for hosts with ${wanted}: run the node command on them`;
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** Whether its own agent registered it. */
export const isRegistered = ({ status }: ManagedNode): boolean => status?.hostIdentity?.['key'] !== undefined;

function hostOf(node: ManagedNode): Json {
  const { customConfig = {}, etcd, controlPlane, worker } = node.spec ?? {};
  return {
    address: customConfig.address,
    internalAddress: customConfig.internalAddress,
    hostnameOverride: nodeNameOf(node),
    user: 'root',
    // Nobody signs in there: its agent is the way. The reader asks for no key then.
    sshAgentAuth: true,
    role: [...(etcd ? ['etcd'] : []), ...(controlPlane ? ['controlplane'] : []), ...(worker ? ['worker'] : [])],
    labels: customConfig.label ?? {},
    taints: (customConfig.taints ?? []).flatMap(taint => {
      const [, key, value, effect] = taintPattern.exec(taint) ?? [];
      return key === undefined ? [] : [{ key, value, effect }];
    }),
  };
}
