/** Hosts that the config names are nodes of the server too, from before they are nodes of Kubernetes until they are gone. */
import type { ManagedNode } from '@drover/api';
import { ignoreExists, ignoreNotFound } from '@drover/base';
import type { ClusterSpec, NodeSpec } from '@drover/engine';
import { nodeNameOf } from '../connect/host-admission.ts';
import { managedNodeName } from '../controllers/node-plan.ts';
import type { Resources } from '../resources/index.ts';
import { isRegistered } from './plan-hosts.ts';

interface Seen {
  readonly spec: ClusterSpec;
  readonly nodes: readonly ManagedNode[];
}

/** Makes those that are not there yet, and tells which. */
export async function keepSshNodes(
  resources: Resources,
  clusterId: string,
  { spec, nodes }: Seen,
): Promise<ManagedNode[]> {
  const made: (ManagedNode | undefined)[] = [];
  const there = new Set(nodes.map(({ metadata }) => metadata.name));
  for (const node of spec.nodes) {
    const name = managedNodeName(node.name);
    if (there.has(name)) continue;
    const draft = { ...draftOf(clusterId, node), metadata: { name, namespace: clusterId } };
    made.push(await ignoreExists(resources.create('node', draft)));
  }
  return made.filter(node => node !== undefined);
}

/** Those that are out of the cluster by now. */
export async function forgetSshNodes(resources: Resources, clusterId: string, { spec, nodes }: Seen): Promise<void> {
  const kept = new Set(spec.nodes.map(({ name }) => name));
  for (const node of nodes) {
    if (isRegistered(node) || !node.spec?.customConfig || kept.has(nodeNameOf(node))) continue;
    const { name, uid } = node.metadata;
    await ignoreNotFound(resources.delete('node', { name, namespace: clusterId, uid }));
  }
}

function draftOf(clusterId: string, { name, address, internalAddress, roles, ssh }: NodeSpec) {
  return {
    spec: {
      clusterName: clusterId,
      requestedHostname: name,
      controlPlane: roles.includes('controlplane'),
      etcd: roles.includes('etcd'),
      worker: roles.includes('worker'),
      imported: false,
      customConfig: { address, internalAddress, user: ssh.user },
    },
    status: { hostname: name, ipAddress: internalAddress, externalIpAddress: address },
  };
}
