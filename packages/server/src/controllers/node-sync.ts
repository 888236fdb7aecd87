/**
 * node-sync: keeps the server's nodes of one cluster, and the cluster's sums, in step with what is really there. Runs
 * where the cluster is owned, while it is connected; what a change sets off is gathered for a moment and written once.
 */
import type { ManagedNode } from '@drover/api';
import { hasReason, ignoreNotFound, type Log, messageOf, type Resource, sleep } from '@drover/base';
import { KubeClient, namespaces as namespacesRef, nodes as nodesRef, pods as podsRef, WatchCache } from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import { type Caches, namespaceIndex, type Resources } from '../resources/index.ts';
import { figuresOf, type KeptPod, keepPods } from './cluster-pods.ts';
import { nothingPolled, pollCluster } from './cluster-polls.ts';
import { isSame, type KubeNode, managedNodeName, planNodes, slimNode } from './node-plan.ts';
import { planProjects, type SeenInNamespaces, slimNamespace } from './project-figures.ts';
import { runRounds } from './rounds.ts';

export interface NodeSyncDeps {
  readonly upstreams: Upstreams;
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'node' | 'cluster' | 'project'>;
  readonly log: Log;
  /** So much time lies between two writes at least; a change after a quiet time is written at once. */
  readonly gatherMs?: number;
}

const clusterIndex = 'cluster';

/** Lets the nodes of one cluster be found without a look at all the others'; once, before the first runs. */
export function indexNodes(caches: Pick<Caches, 'node'>): void {
  caches.node.index(clusterIndex, node => [node.metadata.namespace]);
}

/** What belongs together comes within this. */
const burstMs = 100;
const tooLargeForMs = 600_000;

/** Runs until the signal aborts. */
export function runNodeSync(deps: NodeSyncDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'nodes can not be followed';
  const round = (ends: AbortSignal) => follow(deps, clusterId, ends).catch(error => restIfTooLarge(deps, error, ends));
  return runRounds({ ...deps, clusterId, signal, failure, round });
}

/** A cluster with more than may be kept is not asked for all of it again at once. */
async function restIfTooLarge({ log }: NodeSyncDeps, error: unknown, signal: AbortSignal): Promise<void> {
  if (!hasReason(error, 'RequestEntityTooLarge')) throw error;
  log.warn({ reason: messageOf(error) }, 'a cluster has too many pods or nodes to add up');
  await sleep(tooLargeForMs, signal);
}

/** One round over one connection; ends with the signal or when a cache outgrows its bound. */
async function follow(deps: NodeSyncDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const nodes = new WatchCache<KubeNode>(client, nodesRef, { transform: slimNode });
  const pods = new WatchCache<KeptPod>(client, podsRef, {
    transform: keepPods(),
    indexes: { node: pod => [pod.spec?.nodeName ?? ''], namespace: pod => [pod.metadata.namespace ?? ''] },
  });
  const namespaces = new WatchCache<Resource>(client, namespacesRef, { transform: slimNamespace });
  const caches = [nodes, pods, namespaces] as const;
  let polled = nothingPolled;
  let wake: () => void = () => undefined;
  for (const cache of caches) cache.subscribe(() => wake());
  const told = (next: typeof polled) => {
    polled = next;
    wake();
  };
  const failed = Promise.race([...caches.map(cache => cache.run(signal)), pollCluster(client, { signal, told })]);
  failed.catch(() => undefined);
  await Promise.race([Promise.all(caches.map(cache => cache.synced(signal))), failed]);
  while (!signal.aborted) {
    const changed = new Promise<void>(resolve => {
      wake = resolve;
    });
    const { metrics, usage, components } = polled;
    const seen = {
      nodes: nodes.list(),
      podsOf: (node: string) => figuresOf(pods.byIndex('node', node)),
      metricsOf: (node: string) => metrics.get(node),
      components,
    };
    await write(deps, clusterId, seen);
    await writeProjects(deps, clusterId, {
      namespaces: namespaces.list(),
      podsIn: namespace => figuresOf(pods.byIndex('namespace', namespace)),
      usageIn: namespace => usage.get(namespace),
    });
    const writtenMs = performance.now();
    await Promise.race([changed, failed]);
    await sleep(Math.max(burstMs, writtenMs + (deps.gatherMs ?? 1000) - performance.now()), signal);
  }
}

/** Those without namespaces show nothing, as before there were any. */
async function writeProjects({ resources, caches }: NodeSyncDeps, clusterId: string, seen: SeenInNamespaces) {
  const figures = planProjects(seen);
  for (const { metadata, status } of caches.project.by(namespaceIndex, clusterId)) {
    const { name, namespace } = metadata;
    const wanted = figures.get(`${clusterId}:${name}`) ?? { requested: undefined, limits: undefined, usage: undefined };
    if (isSame({ ...status, ...wanted }, { ...status })) continue;
    await ignoreNotFound(
      resources.modify('project', { name, namespace }, project => ({
        ...project,
        status: { ...project.status, ...wanted },
      })),
    );
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
        spec: specOf(node, draft),
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

/** What a host registered as stays, whatever labels its node has. */
function specOf({ spec: old }: ManagedNode, { spec }: Pick<ManagedNode, 'spec'>): ManagedNode['spec'] {
  const { etcd, controlPlane, worker, imported } = old ?? {};
  return { ...old, ...spec, ...(old?.customConfig ? { etcd, controlPlane, worker, imported } : {}) };
}

/** Of this server's own finding: about a node that takes no more pods, and about a host that it makes one of. */
const ownConditions = (unschedulable: boolean): readonly string[] => [
  ...(unschedulable ? ['Drained'] : []),
  ...['Registered', 'Provisioned', 'Removed'],
];

/** The cluster's, with what the server itself found out. */
function statusOf(old: ManagedNode, { spec, status }: Pick<ManagedNode, 'spec' | 'status'>): ManagedNode['status'] {
  const names = ownConditions(spec?.unschedulable === true);
  const own = (old.status?.conditions ?? []).filter(({ type }) => names.includes(type));
  const { hostIdentity, externalIpAddress } = old.status ?? {};
  return {
    ...status,
    ...(own.length === 0 ? {} : { conditions: [...(status?.conditions ?? []), ...own] }),
    ...(hostIdentity ? { hostIdentity } : {}),
    ...(old.spec?.customConfig && externalIpAddress ? { externalIpAddress } : {}),
  };
}

/** Fields that people set, such as a description, are theirs. */
function isUpToDate(old: ManagedNode, draft: Pick<ManagedNode, 'spec' | 'status'>): boolean {
  return isSame(specOf(old, draft), old.spec) && isSame(statusOf(old, draft), old.status);
}
