/**
 * What the agent of a node is given for its part as a way into the cluster: on control planes alone, since where none of them is up
 * there is nothing to be led to, and no other host has to hold what opens the whole cluster.
 */
import type { Cluster, ManagedNode } from '@drover/api';
import { findCondition } from '@drover/base';
import { defaultTokenName, tokenSecretName } from '../clusters/registration-token.ts';
import type { Caches } from '../resources/index.ts';

/** Holds the kubeconfig of the agents on control planes. */
export const agentSecretName = 'engine-node-agent';

export interface NodeConfig {
  readonly clusterName: string;
  readonly certs: string;
  readonly processes: Readonly<Record<string, never>>;
  /** Base64, by path below the agent's own folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly nodeVersion: number;
  /** Seconds. */
  readonly agentCheckInterval: number;
}

/** Undefined while the cluster is not there yet. */
export function agentFilesOf(of: {
  readonly cluster: Cluster;
  readonly node: ManagedNode;
  readonly caches: Pick<Caches, 'secret'>;
  readonly serverUrl: string;
}): NodeConfig | undefined {
  const { cluster, node, caches, serverUrl } = of;
  const clusterId = cluster.metadata.name;
  const kubeconfig = caches.secret.get(agentSecretName, clusterId)?.stringData?.['kubeconfig'];
  const token = caches.secret.get(tokenSecretName(defaultTokenName), clusterId)?.stringData?.['token'];
  if (kubeconfig === undefined || token === undefined) return undefined;
  const isMade = findCondition(node.status?.conditions, 'Provisioned')?.status === 'True';
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const files: Readonly<Record<string, string>> =
    node.spec?.controlPlane && isMade && !node.metadata.deletionTimestamp
      ? { kubeconfig: base64(kubeconfig), 'credentials/url': base64(serverUrl), 'credentials/token': base64(token) }
      : {};
  const isUpdating = findCondition(cluster.status?.conditions, 'Updated')?.status === 'Unknown';
  return {
    clusterName: clusterId,
    certs: '',
    processes: {},
    files,
    nodeVersion: 0,
    agentCheckInterval: isMade ? (isUpdating ? 35 : 120) : 15,
  };
}
