/** UsageRing: what nodes, namespaces and workloads of a cluster used over the last hours, a sample a minute, bounded in time and number. */
import { type Amounts, type NodeMetrics, type PodMetrics, podUsage, sumAmounts } from '@drover/kube';
import { workloadOf } from './workload-of.ts';

export const groupings = ['node', 'namespace', 'workload'] as const;
export type Grouping = (typeof groupings)[number];

export interface Point {
  readonly atMs: number;
  readonly cpu: number;
  readonly memory: number;
}

export interface Series {
  readonly name: string;
  /** Where it is; empty for nodes. */
  readonly namespace: string;
  readonly points: readonly Point[];
}

/** Six hours. */
const mostSamples = 360;
/** Of each grouping, the greediest. */
const mostSeries = 200;

interface Sample {
  readonly atMs: number;
  readonly amounts: Readonly<Record<Grouping, ReadonlyMap<string, Amounts>>>;
}

export class UsageRing {
  #samples: Sample[] = [];

  add(atMs: number, nodes: readonly NodeMetrics[], pods: readonly PodMetrics[]): void {
    const byNode = new Map(nodes.map(node => [`/${node.metadata.name}`, podUsage({ ...node, containers: [node] })]));
    const byNamespace = new Map<string, Amounts>();
    const byWorkload = new Map<string, Amounts>();
    for (const pod of pods) {
      const { namespace = '' } = pod.metadata;
      const usage = podUsage(pod);
      add(byNamespace, `${namespace}/${namespace}`, usage);
      add(byWorkload, `${namespace}/${workloadOf(pod.metadata)}`, usage);
    }
    const amounts = { node: greediest(byNode), namespace: greediest(byNamespace), workload: greediest(byWorkload) };
    this.#samples = [...this.#samples, { atMs, amounts }].slice(-mostSamples);
  }

  get isEmpty(): boolean {
    return this.#samples.length === 0;
  }

  /** Those that somebody may see, the greediest now first. */
  series(by: Grouping, sees: (namespace: string) => boolean): Series[] {
    const found = new Map<string, Point[]>();
    for (const { atMs, amounts } of this.#samples)
      for (const [key, { cpu = 0, memory = 0 }] of amounts[by]) {
        const points = found.get(key) ?? [];
        points.push({ atMs, cpu, memory });
        found.set(key, points);
      }
    return [...found]
      .map(([key, points]) => {
        const slash = key.indexOf('/');
        return { name: key.slice(slash + 1), namespace: key.slice(0, slash), points };
      })
      .filter(({ namespace }) => by === 'node' || sees(namespace))
      .sort((a, b) => (b.points.at(-1)?.cpu ?? 0) - (a.points.at(-1)?.cpu ?? 0));
  }

  /** Every namespace that there is something of. */
  namespaces(): string[] {
    return [...new Set(this.#samples.flatMap(({ amounts }) => [...amounts.namespace.keys()]))].map(key =>
      key.slice(0, key.indexOf('/')),
    );
  }
}

function add(sums: Map<string, Amounts>, key: string, usage: Amounts): void {
  sums.set(key, sumAmounts([sums.get(key) ?? {}, usage]));
}

function greediest(all: ReadonlyMap<string, Amounts>): ReadonlyMap<string, Amounts> {
  if (all.size <= mostSeries) return all;
  return new Map([...all].sort(([, a], [, b]) => (b['cpu'] ?? 0) - (a['cpu'] ?? 0)).slice(0, mostSeries));
}
