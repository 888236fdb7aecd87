/**
 * Usage: rings of those clusters that somebody has looked at lately. Sampling begins with the first look and ends when nobody has looked
 * for half a day; only so many clusters are sampled at once.
 */
import { type KubeClient, type NodeMetrics, nodeMetrics, type PodMetrics, podMetrics } from '@drover/kube';
import { UsageRing } from './usage-ring.ts';

const everyMs = 60_000;
const againMs = 3000;
const lingerMs = 12 * 3600_000;
const mostClusters = 50;

interface Sampled {
  readonly ring: UsageRing;
  readonly stop: AbortController;
  readonly first: Promise<void>;
  lookedAt: number;
  askedAt: number;
  /** Why there is nothing, where that is so. */
  error: unknown;
}

export interface UsageDeps {
  readonly clients: { get(clusterId: string): KubeClient };
  readonly signal: AbortSignal;
}

export class Usage {
  readonly #deps: UsageDeps;
  readonly #clusters = new Map<string, Sampled>();

  constructor(deps: UsageDeps) {
    this.#deps = deps;
    deps.signal.addEventListener('abort', () => this.#clear(), { once: true });
  }

  /** The ring of a cluster, with at least one sample; throws what the cluster answers where it has no metrics. */
  async of(clusterId: string): Promise<UsageRing> {
    const found = this.#clusters.get(clusterId) ?? this.#begin(clusterId);
    found.lookedAt = Date.now();
    await found.first;
    // One that had nothing to tell may have by now, and nobody is to wait a minute for it.
    if (found.ring.isEmpty && Date.now() - found.askedAt > againMs) await this.#sample(clusterId);
    if (found.error && found.ring.isEmpty) throw found.error;
    return found.ring;
  }

  #begin(clusterId: string): Sampled {
    if (this.#clusters.size >= mostClusters) this.#drop();
    const sampled: Sampled = {
      ring: new UsageRing(),
      stop: new AbortController(),
      first: this.#sample(clusterId),
      lookedAt: Date.now(),
      askedAt: Date.now(),
      error: undefined,
    };
    this.#clusters.set(clusterId, sampled);
    const timer = setInterval(() => {
      if (Date.now() - sampled.lookedAt > lingerMs) this.#end(clusterId);
      else void this.#sample(clusterId);
    }, everyMs).unref();
    sampled.stop.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    return sampled;
  }

  /** Never fails: a cluster that is away leaves a gap. */
  async #sample(clusterId: string): Promise<void> {
    // What begins it is in the map only afterwards.
    await Promise.resolve();
    const sampled = this.#clusters.get(clusterId);
    if (!sampled) return;
    sampled.askedAt = Date.now();
    try {
      const client = this.#deps.clients.get(clusterId);
      const [nodes, pods] = await Promise.all([
        client.list<NodeMetrics>(nodeMetrics),
        client.list<PodMetrics>(podMetrics),
      ]);
      sampled.ring.add(Date.now(), nodes.items, pods.items);
      sampled.error = undefined;
    } catch (error) {
      sampled.error = error;
    }
  }

  #end(clusterId: string): void {
    this.#clusters.get(clusterId)?.stop.abort();
    this.#clusters.delete(clusterId);
  }

  /** The one that nobody has looked at for longest gives way. */
  #drop(): void {
    const [oldest] = [...this.#clusters].sort(([, a], [, b]) => a.lookedAt - b.lookedAt);
    if (oldest) this.#end(oldest[0]);
  }

  #clear(): void {
    for (const clusterId of [...this.#clusters.keys()]) this.#end(clusterId);
  }
}
