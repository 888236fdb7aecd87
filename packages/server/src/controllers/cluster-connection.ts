/**
 * cluster-connection: says of each cluster whether its agent is there, whether its API answers, which version it is, and
 * in words why not. Everything that depends on a cluster being reachable goes by these conditions.
 */
import type { Cluster } from '@drover/api';
import {
  findCondition,
  ignoreNotFound,
  isNotFound,
  isUnavailable,
  messageOf,
  type NewCondition,
  type Resource,
  setCondition,
} from '@drover/base';
import { type KubeClient, namespaces, type Version } from '@drover/kube';
import type { ClusterClients } from '../clusters/clients.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import { isOnHosts } from '../provisioning/cluster-status.ts';
import { type Controller, controller } from '../resources/index.ts';

/** How often a connected cluster's API is asked; losing the tunnel is told at once and does not wait for this. */
const askEveryMs = 15_000;
const askTimeoutMs = 4_000;
/** Version and identity are asked for again after this, and whenever the way to the cluster has changed. */
const factsForMs = 5 * 60_000;

/** What one look at a cluster gave. */
export interface Look {
  /** Undefined when the agent is connected, else why it is not. */
  readonly away?: string;
  /** What is to be said of the way to it although it works. */
  readonly note?: string;
  /** Undefined when the API answered, else why not. */
  readonly unready?: string;
  readonly version?: Version;
  /** The UID of kube-system: it is the same cluster as long as this is the same. */
  readonly uid?: string;
}

export function clusterConnection(upstreams: Upstreams, clients: Pick<ClusterClients, 'get'>): Controller<'cluster'> {
  const facts = new Map<string, Facts>();
  return controller({
    name: 'cluster-connection',
    for: 'cluster',
    // One that hangs holds a worker for seconds, and must not make the others wait.
    workers: 64,
    async reconcile(cluster, { resources, caches, signal }) {
      const { name } = cluster.metadata;
      const look = await lookAt({ upstreams, clients, facts }, name, signal);
      const now = caches.cluster.get(name);
      if (!now) facts.delete(name);
      else if (withLook(now, look) !== now) await resources.modify('cluster', { name }, seen => withLook(seen, look));
      // Thousands that came back together are not asked together ever after.
      return { after: askEveryMs * (0.8 + Math.random() * 0.4) };
    },
  });
}

/** What hardly ever changes, and when it was asked for over which client. */
interface Facts {
  readonly version: Version;
  readonly uid: string | undefined;
  readonly from: KubeClient;
  readonly atMs: number;
}

interface LookDeps {
  readonly upstreams: Upstreams;
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly facts: Map<string, Facts>;
}

async function lookAt(deps: LookDeps, clusterId: string, signal: AbortSignal): Promise<Look> {
  const away = whyAway(deps.upstreams, clusterId);
  if (away !== undefined) return { away };
  const { note } = deps.upstreams.get(clusterId);
  try {
    const client = deps.clients.get(clusterId);
    const known = deps.facts.get(clusterId);
    const ready = client
      .request('GET', '/readyz', { signal, timeoutMs: askTimeoutMs, headers: { accept: '*/*' } })
      .catch(ignoreText);
    const isFresh = known?.from === client && performance.now() - known.atMs < factsForMs;
    const [facts] = await Promise.all([isFresh ? known : askFacts(client, signal), ready]);
    deps.facts.set(clusterId, facts);
    return { version: facts.version, uid: facts.uid, note };
  } catch (error) {
    if (signal.aborted) throw error;
    // It may have gone while it was being asked: then that is the cause.
    const gone = whyAway(deps.upstreams, clusterId);
    return gone === undefined ? { unready: messageOf(error), note } : { away: gone };
  }
}

function whyAway(upstreams: Upstreams, clusterId: string): string | undefined {
  try {
    upstreams.get(clusterId);
    return undefined;
  } catch (error) {
    if (isUnavailable(error) || isNotFound(error)) return error.message;
    throw error;
  }
}

async function askFacts(client: KubeClient, signal: AbortSignal): Promise<Facts> {
  const [version, kubeSystem] = await Promise.all([
    client.request<Version>('GET', '/version', { signal, timeoutMs: askTimeoutMs }),
    ignoreNotFound(client.get<Resource>(namespaces, 'kube-system', { signal })),
  ]);
  return { version, uid: kubeSystem?.metadata.uid, from: client, atMs: performance.now() };
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

const imported: readonly NewCondition[] = [
  { type: 'Pending', status: 'True' },
  { type: 'Provisioned', status: 'True' },
];
/** Whether it is provisioned says whoever makes it. */
const madeHere: readonly NewCondition[] = [{ type: 'AgentDeployed', status: 'True' }];

function conditionsOf(cluster: Cluster, look: Look): NewCondition[] {
  const before = cluster.status?.conditions;
  const known = findCondition(before, 'Provisioned')?.status === 'True';
  if (look.away !== undefined) {
    // What `local` waits for is told by whoever starts it, as the condition Provisioned.
    if (!known && cluster.status?.driver === 'local') return [];
    // Nor is a cluster imported that the engine makes: what that one waits for, it tells.
    if (!known && isOnHosts(cluster)) return [];
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
    ...(isOnHosts(cluster) ? madeHere : imported),
    { type: 'Connected', status: 'True', ...(look.note ? { reason: 'NodeAgent', message: look.note } : {}) },
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
