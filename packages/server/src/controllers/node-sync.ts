/**
 * node-sync: keeps the server's nodes of one cluster, and the cluster's sums, in step with what is really there. Runs
 * where the cluster is owned, while it is connected; what a change sets off is gathered for a moment and written once.
 */
import type { ManagedNode } from '@drover/api';
import { anySignal, findCondition, ignoreNotFound, isUnavailable, type Log, messageOf, sleep } from '@drover/base';
import {
  KubeClient,
  type NodeMetrics,
  nodeMetrics,
  nodes as nodesRef,
  type PodResource,
  pods as podsRef,
  WatchCache,
} from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Caches, Resources } from '../resources/index.ts';
import { isSame, type KubeNode, managedNodeName, planNodes, slimPod } from './node-plan.ts';

export interface NodeSyncDeps {
  readonly upstreams: Upstreams;
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'node' | 'cluster'>;
  readonly log: Log;
  /** Changes within this are written together. */
  readonly gatherMs?: number;
}

const clusterIndex = 'cluster';

/** Lets the nodes of one cluster be found without a look at all the others'; once, before the first runs. */
export function indexNodes(caches: Pick<Caches, 'node'>): void {
  caches.node.index(clusterIndex, node => [node.metadata.namespace]);
}

const metricsEveryMs = 30_000;

/** Runs until the signal aborts. */
export async function runNodeSync(deps: NodeSyncDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const round = new AbortController();
    // A way that changed, or an agent that went, ends the round; the next one begins with the way as it is then.
    const both = anySignal(signal, round.signal);
    deps.upstreams.subscribe(changed => changed === clusterId && round.abort(new Error('the way changed')), both);
    try {
      await follow(deps, clusterId, both);
    } catch (error) {
      if (signal.aborted) break;
      if (!both.aborted && !isUnavailable(error))
        deps.log.warn({ cluster: clusterId, reason: messageOf(error) }, 'nodes can not be followed');
      // One that is away is told of when it comes; to ask for it would cost, with thousands of them.
      if (!both.aborted) await sleep(isUnavailable(error) ? 60_000 : 5000, both).catch(() => undefined);
    } finally {
      round.abort(new Error('the round is over'));
    }
  }
}

/** One round over one connection; ends with the signal or when a cache outgrows its bound. */
async function follow(deps: NodeSyncDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const nodes = new WatchCache<KubeNode>(client, nodesRef);
  const pods = new WatchCache<PodResource>(client, podsRef, {
    transform: slimPod,
    indexes: { node: pod => (pod.spec?.nodeName ? [pod.spec.nodeName] : []) },
  });
  const metrics = new Map<string, NodeMetrics>();
  let wake: () => void = () => undefined;
  nodes.subscribe(() => wake());
  pods.subscribe(() => wake());
  const failed = Promise.race([
    nodes.run(signal),
    pods.run(signal),
    pollMetrics(client, { metrics, signal, changed: () => wake() }),
  ]);
  failed.catch(() => undefined);
  await Promise.race([Promise.all([nodes.synced(signal), pods.synced(signal)]), failed]);
  while (!signal.aborted) {
    const changed = new Promise<void>(resolve => {
      wake = resolve;
    });
    await write(deps, clusterId, {
      nodes: nodes.list(),
      podsOf: name => pods.byIndex('node', name),
      metricsOf: name => metrics.get(name),
    });
    await Promise.race([changed, failed]);
    await sleep(deps.gatherMs ?? 1000, signal);
  }
}

/** Usage where the cluster has metrics.k8s.io; one without is asked again, now and then. */
async function pollMetrics(
  client: KubeClient,
  to: { readonly metrics: Map<string, NodeMetrics>; readonly signal: AbortSignal; readonly changed: () => void },
): Promise<void> {
  const { metrics, signal, changed } = to;
  for (;;) {
    const page = await client.list<NodeMetrics>(nodeMetrics, { signal }).catch(() => undefined);
    if (page) {
      metrics.clear();
      for (const item of page.items) metrics.set(item.metadata.name, item);
      changed();
    } else if (metrics.size > 0) {
      metrics.clear();
      changed();
    }
    await sleep(metricsEveryMs, signal);
  }
}

async function write(deps: NodeSyncDeps, clusterId: string, seen: Parameters<typeof planNodes>[1]): Promise<void> {
  const { resources, caches } = deps;
  const plan = planNodes(clusterId, seen);
  const wanted = new Map(plan.nodes.map(node => [node.metadata.name, node]));
  const there = new Map<string, ManagedNode>();
  for (const node of caches.node.by(clusterIndex, clusterId)) there.set(node.metadata.name, node);
  for (const [name, draft] of wanted) {
    const old = there.get(name);
    if (!old) {
      await resources.create('node', draft);
      continue;
    }
    if (isUpToDate(old, draft)) continue;
    await ignoreNotFound(
      resources.modify('node', { name, namespace: clusterId }, node => ({
        ...node,
        spec: { ...node.spec, ...draft.spec },
        status: statusOf(node, draft),
      })),
    );
  }
  // Only what came from here is taken away with its node.
  const known = new Set(seen.nodes.map(node => managedNodeName(node.metadata.name)));
  for (const [name, node] of there) {
    if (known.has(name) || !node.spec?.imported) continue;
    await ignoreNotFound(resources.delete('node', { name, namespace: clusterId, uid: node.metadata.uid }));
  }
  await ignoreNotFound(
    resources.modify('cluster', { name: clusterId }, cluster =>
      isSame({ ...cluster.status, ...plan.figures }, cluster.status)
        ? undefined
        : { ...cluster, status: { ...cluster.status, ...plan.figures } },
    ),
  );
}

/** The cluster's, with what the server itself found out about a node that takes no more pods. */
function statusOf(old: ManagedNode, { spec, status }: Pick<ManagedNode, 'spec' | 'status'>): ManagedNode['status'] {
  const own = spec?.unschedulable ? findCondition(old.status?.conditions, 'Drained') : undefined;
  return own ? { ...status, conditions: [...(status?.conditions ?? []), own] } : status;
}

/** Fields that people set, such as a description, are theirs. */
function isUpToDate(old: ManagedNode, draft: Pick<ManagedNode, 'spec' | 'status'>): boolean {
  return isSame({ ...old.spec, ...draft.spec }, old.spec) && isSame(statusOf(old, draft), old.status);
}
