/**
 * What nodes have and what is asked of them: capacity, allocatable, the pods' requests and limits counted as the
 * scheduler does, and what is really used where metrics are there. Sums per cluster are sums of nodes.
 */
import { formatBytes, formatCpu, parseQuantity, type Resource } from '@drover/base';

/** By resource name: cores of `cpu`, bytes of `memory`, pieces of `pods` and the rest. */
export type Amounts = Readonly<Record<string, number>>;

export interface NodeUsage {
  readonly capacity: Amounts;
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  readonly limits: Amounts;
  /** undefined where metrics.k8s.io has nothing about it. */
  readonly usage?: Amounts;
}

type Quantities = Readonly<Record<string, string>> | undefined;

export type NodeResource = Resource<unknown, { readonly capacity?: Quantities; readonly allocatable?: Quantities }>;
export type NodeMetrics = Resource & { readonly usage?: Quantities };
export type PodMetrics = Resource & { readonly containers?: readonly { readonly usage?: Quantities }[] };

interface Container {
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
}

export type PodResource = Resource<
  {
    readonly nodeName?: string;
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly overhead?: Quantities;
    readonly resources?: Container['resources'];
  },
  { readonly phase?: string }
>;

/** What pods ask for and may take. */
export type PodFigures = Pick<NodeUsage, 'requested' | 'limits'>;

/** One pod's figures, counted as the scheduler does; undefined for one that has ended, which counts no more. */
export function podFigures(pod: PodResource): PodFigures | undefined {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return undefined;
  return { requested: { ...podAmounts(pod, 'requests'), pods: 1 }, limits: podAmounts(pod, 'limits') };
}

export function sumPods(pods: readonly PodFigures[]): PodFigures {
  return {
    requested: sumAmounts([{ pods: 0 }, ...pods.map(pod => pod.requested)]),
    limits: sumAmounts(pods.map(pod => pod.limits)),
  };
}

/** One node's figures, from those of the pods that are bound to it. */
export function nodeUsage(node: NodeResource, pods: readonly PodFigures[], metrics?: NodeMetrics): NodeUsage {
  return {
    capacity: parseAmounts(node.status?.capacity),
    allocatable: parseAmounts(node.status?.allocatable),
    ...sumPods(pods),
    ...(metrics?.usage ? { usage: parseAmounts(metrics.usage) } : {}),
  };
}

/** What a pod really uses, its containers together. */
export function podUsage({ containers = [] }: PodMetrics): Amounts {
  return sumAmounts(containers.map(({ usage }) => parseAmounts(usage)));
}

/** All nodes together; `usage` is there when it is there for any node. */
export function sumUsage(nodes: readonly NodeUsage[]): NodeUsage {
  const used = nodes.map(node => node.usage).filter(usage => usage !== undefined);
  return {
    capacity: sumAmounts(nodes.map(node => node.capacity)),
    allocatable: sumAmounts(nodes.map(node => node.allocatable)),
    requested: sumAmounts(nodes.map(node => node.requested)),
    limits: sumAmounts(nodes.map(node => node.limits)),
    ...(used.length > 0 ? { usage: sumAmounts(used) } : {}),
  };
}

/** Amounts as quantities: `1500m`, `2Gi`, `110`. */
export function formatAmounts(amounts: Amounts): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatAmount(name, amount)]));
}

function formatAmount(name: string, amount: number): string {
  if (name === 'cpu') return formatCpu(amount);
  const isBytes = name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-');
  return isBytes ? formatBytes(amount) : String(amount);
}

/**
 * What a pod takes: its containers and sidecars together, or an init container's moment if that is more; the pod's own
 * figures before its containers' (KEP-2837); and the overhead of its runtime class.
 */
function podAmounts({ spec }: PodResource, what: 'requests' | 'limits'): Amounts {
  const of = (container: Container) => parseAmounts(container.resources?.[what]);
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const container of spec?.initContainers ?? []) {
    const own = of(container);
    peak = maxAmounts(peak, sumAmounts([sidecars, own]));
    // A sidecar (KEP-753) stays while all that come after it run.
    if (container.restartPolicy === 'Always') sidecars = sumAmounts([sidecars, own]);
  }
  const together = sumAmounts([sidecars, ...(spec?.containers ?? []).map(of)]);
  const total = { ...maxAmounts(peak, together), ...parseAmounts(spec?.resources?.[what]) };
  const overhead = Object.entries(parseAmounts(spec?.overhead)).filter(([name]) => what === 'requests' || total[name]);
  return sumAmounts([total, Object.fromEntries(overhead)]);
}

function parseAmounts(quantities: Quantities): Amounts {
  return Object.fromEntries(Object.entries(quantities ?? {}).map(([name, text]) => [name, amountOf(text)]));
}

/** The cluster is not trusted: a quantity that is none counts nothing instead of failing all others. */
function amountOf(text: unknown): number {
  if (typeof text !== 'string' && typeof text !== 'number') return 0;
  try {
    return parseQuantity(text);
  } catch {
    return 0;
  }
}

export function sumAmounts(all: readonly Amounts[]): Amounts {
  const sum: Record<string, number> = {};
  for (const amounts of all) for (const name in amounts) sum[name] = (sum[name] ?? 0) + amounts[name]!;
  return sum;
}

function maxAmounts(a: Amounts, b: Amounts): Amounts {
  const most: Record<string, number> = { ...a };
  for (const name in b) most[name] = Math.max(most[name] ?? 0, b[name]!);
  return most;
}
