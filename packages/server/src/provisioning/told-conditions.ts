/** What is said of a cluster that was brought to what it shall be, and how its config is read: with what the server adds to it. */
import type { Cluster } from '@drover/api';
import { findCondition, type NewCondition } from '@drover/base';
import { type ClusterSpec, certificateEnds, type EngineState } from '@drover/engine';

type Json = Readonly<Record<string, unknown>>;

/** Where people shall reach the cluster's own API with tokens of this server, its kube-apiservers have to ask for them. */
export function withEndpoint(cluster: Cluster, config: Json): Json {
  if (cluster.spec?.localClusterAuthEndpoint?.enabled !== true) return config;
  const authentication = (config['authentication'] ?? {}) as Json;
  const strategy = String(authentication['strategy'] || 'x509');
  if (strategy.split('|').includes('webhook')) return config;
  return { ...config, authentication: { ...authentication, strategy: `${strategy}|webhook` } };
}

/** Conditions of a cluster that is as it shall be: what is left is that its agent connects. */
export function reachedBy(cluster: Cluster, phase: 'Provisioned' | 'Updated'): NewCondition[] {
  const isConnected = findCondition(cluster.status?.conditions, 'Connected')?.status === 'True';
  const message = 'waiting for the cluster’s agent to connect';
  return [
    ...(isConnected ? [] : [{ type: 'AgentDeployed', status: 'Unknown', reason: 'Waiting', message } as const]),
    { type: 'Provisioned', status: 'True' },
    ...(phase === 'Updated' ? [{ type: 'Updated', status: 'True' } as const] : []),
  ];
}

export const renewedType = 'CertificatesRenewed';

/** Whether all hosts have the certificates of the last renewal; it is no change of the cluster that some wait for theirs. */
export function renewedBy(leftOut: ReadonlyMap<string, string>): NewCondition {
  if (leftOut.size === 0) return { type: renewedType, status: 'True', reason: '', message: '' };
  const hosts = [...leftOut].map(([name, cause]) => `${name} (${cause})`).sort();
  const message = `left out when certificates were renewed: ${hosts.join(', ')}; each gets its own when it is back`;
  return { type: renewedType, status: 'False', reason: 'HostsAway', message: message.slice(0, 2000) };
}

export function knownOf(spec: ClusterSpec, { certificates }: EngineState): Partial<NonNullable<Cluster['status']>> {
  const [control] = spec.nodes.filter(({ roles }) => roles.includes('controlplane'));
  const ends = Object.entries(certificateEnds(certificates));
  return {
    ...(control ? { apiEndpoint: `https://${control.address}:6443` } : {}),
    caCert: Buffer.from(certificates['kube-ca']!.cert).toString('base64'),
    certificatesExpiration: Object.fromEntries(ends.map(([name, expirationDate]) => [name, { expirationDate }])),
  };
}
