/**
 * cluster-connection: says of each cluster whether its agent is there, whether its API answers, which version it is, and
 * in words why not. Everything that depends on a cluster being reachable goes by these conditions.
 */
import type { Cluster } from '@drover/api';
import {
  findCondition,
  isNotFound,
  isUnavailable,
  messageOf,
  type NewCondition,
  type Resource,
  setCondition,
} from '@drover/base';
import { KubeClient, namespaces, type Version } from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import { type Controller, controller } from '../resources/index.ts';

/** How often a connected cluster's API is asked; losing the tunnel is told at once and does not wait for this. */
const askEveryMs = 15_000;
const askTimeoutMs = 4_000;

/** What one look at a cluster gave. */
export interface Look {
  /** Undefined when the agent is connected, else why it is not. */
  readonly away?: string;
  /** Undefined when the API answered, else why not. */
  readonly unready?: string;
  readonly version?: Version;
  /** The UID of kube-system: it is the same cluster as long as this is the same. */
  readonly uid?: string;
}

export function clusterConnection(upstreams: Upstreams): Controller<'cluster'> {
  return controller({
    name: 'cluster-connection',
    for: 'cluster',
    async reconcile(cluster, { resources, signal }) {
      const look = await lookAt(upstreams, cluster.metadata.name, signal);
      await resources.modify('cluster', { name: cluster.metadata.name }, seen => withLook(seen, look));
      return { after: askEveryMs };
    },
  });
}

async function lookAt(upstreams: Upstreams, clusterId: string, signal: AbortSignal): Promise<Look> {
  try {
    upstreams.get(clusterId);
  } catch (error) {
    if (isUnavailable(error) || isNotFound(error)) return { away: error.message };
    throw error;
  }
  try {
    await using client = new KubeClient(upstreams.connection(clusterId), { timeoutMs: askTimeoutMs });
    const [version, kubeSystem] = await Promise.all([
      client.version(),
      client.get<Resource>(namespaces, 'kube-system', { signal }).catch(error => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
      client
        .request('GET', '/readyz', { signal, headers: { accept: '*/*' }, query: { verbose: undefined } })
        .catch(ignoreText),
    ]);
    return { version, uid: kubeSystem?.metadata.uid };
  } catch (error) {
    if (signal.aborted) throw error;
    return { unready: messageOf(error) };
  }
}

/** /readyz answers "ok" in plain text, which is no JSON and all is well. */
function ignoreText(error: unknown): void {
  if (!(error instanceof Error) || !/JSON/.test(error.message)) throw error;
}

/** The cluster with its conditions as the look has them; the same object where nothing changed. */
export function withLook(cluster: Cluster, look: Look, now = new Date()): Cluster {
  const old = cluster.status?.conditions ?? [];
  let conditions = old;
  for (const condition of conditionsOf(cluster, look)) conditions = setCondition(conditions, condition, now);
  const version =
    look.version && cluster.status?.version?.gitVersion !== look.version.gitVersion ? look.version : undefined;
  const uid = look.uid && !cluster.status?.clusterUid ? look.uid : undefined;
  if (conditions === old && !version && !uid) return cluster;
  const status = {
    ...cluster.status,
    conditions,
    ...(version ? { version } : {}),
    ...(uid ? { clusterUid: uid } : {}),
  };
  return { ...cluster, status };
}

function conditionsOf(cluster: Cluster, look: Look): NewCondition[] {
  const before = cluster.status?.conditions;
  const known = findCondition(before, 'Provisioned')?.status === 'True';
  if (look.away !== undefined) {
    if (!known)
      return [
        {
          type: 'Pending',
          status: 'Unknown',
          reason: 'AgentMissing',
          message: 'waiting for the cluster’s agent to connect: apply the import manifest in it',
        },
      ];
    const connected = findCondition(before, 'Connected');
    // The first cause stays: later looks only know that it is still away.
    const message = connected?.status === 'False' && connected.message ? connected.message : look.away;
    return [
      { type: 'Connected', status: 'False', reason: 'Disconnected', message },
      { type: 'Ready', status: 'False', reason: 'Disconnected', message },
    ];
  }
  const registered: NewCondition[] = [
    { type: 'Pending', status: 'True' },
    { type: 'Provisioned', status: 'True' },
    { type: 'Connected', status: 'True' },
  ];
  if (look.unready !== undefined) {
    const waiting = findCondition(before, 'Waiting')?.status === 'True';
    const message = `the cluster’s API does not answer: ${look.unready}`;
    const late: NewCondition = waiting
      ? { type: 'Ready', status: 'False', reason: 'ApiUnreachable', message }
      : { type: 'Waiting', status: 'Unknown', reason: 'ApiUnreachable', message };
    return [...registered, late];
  }
  return [...registered, { type: 'Waiting', status: 'True' }, { type: 'Ready', status: 'True' }];
}
