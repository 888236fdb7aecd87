/** What a cluster tells only when it is asked: what is really used, where it has metrics.k8s.io, and how its components are. */
import { type Resource, sleep } from '@drover/base';
import {
  type Amounts,
  componentStatuses,
  type KubeClient,
  type NodeMetrics,
  nodeMetrics,
  type PodMetrics,
  podMetrics,
  podUsage,
  sumAmounts,
} from '@drover/kube';

export interface ComponentStatus {
  readonly name: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
    readonly error?: string;
  }[];
}

export interface Polled {
  readonly metrics: ReadonlyMap<string, NodeMetrics>;
  /** By namespace. */
  readonly usage: ReadonlyMap<string, Amounts>;
  /** Undefined where the cluster does not tell. */
  readonly components: readonly ComponentStatus[] | undefined;
}

export const nothingPolled: Polled = { metrics: new Map(), usage: new Map(), components: undefined };

const everyMs = 30_000;
/** A component's own words are shown to people; nobody else bounds them. */
const longestText = 1024;
const mostComponents = 64;

/** Asks now and then until the signal aborts; what a cluster does not serve is asked for again, for it may come. */
export async function pollCluster(
  client: KubeClient,
  { signal, told }: { readonly signal: AbortSignal; readonly told: (polled: Polled) => void },
): Promise<never> {
  for (;;) {
    const [nodes, components] = await Promise.all([
      client.list<NodeMetrics>(nodeMetrics, { signal }).catch(() => undefined),
      client.list<Resource>(componentStatuses, { signal }).catch(() => undefined),
    ]);
    const pods = nodes && (await client.list<PodMetrics>(podMetrics, { signal }).catch(() => undefined));
    signal.throwIfAborted();
    told({
      metrics: new Map(nodes?.items.map(item => [item.metadata.name, item])),
      usage: usageByNamespace(pods?.items ?? []),
      components: components && componentsOf(components.items),
    });
    // Clusters that came back together are not asked together ever after.
    await sleep(everyMs * (0.8 + Math.random() * 0.4), signal);
  }
}

function usageByNamespace(pods: readonly PodMetrics[]): Map<string, Amounts> {
  const sums = new Map<string, Amounts>();
  for (const pod of pods) {
    const { namespace = '' } = pod.metadata;
    sums.set(namespace, sumAmounts([sums.get(namespace) ?? {}, podUsage(pod)]));
  }
  return sums;
}

/** By name, so that the same always look the same. The cluster is not trusted: what is no text is none. */
export function componentsOf(items: readonly Resource[]): ComponentStatus[] {
  return items
    .slice(0, mostComponents)
    .map(item => ({
      name: item.metadata.name,
      conditions: conditionsOf((item as { readonly conditions?: unknown }).conditions),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function conditionsOf(given: unknown): ComponentStatus['conditions'] {
  if (!Array.isArray(given)) return [];
  return given.slice(0, mostComponents).map((one: Record<string, unknown> | null) => ({
    type: text(one?.['type']) ?? '',
    status: text(one?.['status']) ?? 'Unknown',
    message: text(one?.['message']),
    error: text(one?.['error']),
  }));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, longestText) : undefined;
}
