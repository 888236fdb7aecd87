/**
 * What becomes of an agent's claims: they are held against what is known of the cluster, and what is new is written.
 * Nothing is written when nothing changed, since thousands of agents come back at once after a restart.
 */
import type { Cluster } from '@drover/api';
import { badRequest } from '@drover/base';
import type { Resources } from '../resources/index.ts';
import type { AgentParams } from './params.ts';

type DroverParams = Extract<AgentParams, { readonly kind: 'drover' }>;

/** Throws BadRequest when it is another cluster than the one that registered before. */
export function requireSameCluster(cluster: Cluster, uid: string): void {
  const known = cluster.status?.clusterUid;
  if (!known || known === uid) return;
  const title = cluster.spec?.displayName || cluster.metadata.name;
  throw badRequest(
    `this token is for cluster "${title}", which registered before and is another one than this ` +
      `(kube-system has the UID ${uid}, not ${known}); import this one under a name of its own`,
  );
}

/** Takes in one of our agents. What a cluster's own agent said of itself, the agents of its nodes don't change. */
export async function registerAgent(resources: Resources, cluster: Cluster, params: DroverParams): Promise<void> {
  requireSameCluster(cluster, params.clusterUid);
  if (isRegistered(cluster, params) || (params.node !== undefined && cluster.status?.clusterUid)) return;
  await resources.modify('cluster', { name: cluster.metadata.name }, seen => {
    requireSameCluster(seen, params.clusterUid);
    if (isRegistered(seen, params)) return undefined;
    const { serviceAccountTokenSecret: foreign, apiEndpoint, caCert, ...kept } = seen.status ?? {};
    const status = {
      ...kept,
      // What a foreign agent said of its cluster goes with it.
      ...(foreign || apiEndpoint === undefined ? {} : { apiEndpoint }),
      ...(foreign || caCert === undefined ? {} : { caCert }),
      driver: kept.driver || 'imported',
      clusterUid: params.clusterUid,
      agentVersion: params.version,
    };
    return { ...seen, status };
  });
}

function isRegistered({ status }: Cluster, params: DroverParams): boolean {
  return (
    status?.clusterUid === params.clusterUid &&
    status.agentVersion === params.version &&
    Boolean(status.driver) &&
    !status.serviceAccountTokenSecret
  );
}
