/**
 * ClusterTargets: the pool of connections to each cluster, made on first use and kept while the cluster's way stays the
 * same. When the way changes, what runs goes on over the old one.
 */
import { isNotFound } from '@drover/base';
import { ForwardTarget } from '@drover/kube';
import type { Upstream, Upstreams } from '../clusters/upstream.ts';

/** So many requests may run in one cluster at once, watches included. */
const perCluster = 2048;

export class ClusterTargets implements AsyncDisposable {
  readonly #upstreams: Upstreams;
  readonly #kept = new Map<string, { readonly upstream: Upstream; readonly target: ForwardTarget }>();

  constructor(upstreams: Upstreams, signal: AbortSignal) {
    this.#upstreams = upstreams;
    upstreams.subscribe(clusterId => this.#forgetGone(clusterId), signal);
  }

  /** The way to the cluster and the pool that goes it; throws as Upstreams.get does. */
  get(clusterId: string): { readonly upstream: Upstream; readonly target: ForwardTarget } {
    const upstream = this.#upstreams.get(clusterId);
    const kept = this.#kept.get(clusterId);
    if (kept?.upstream === upstream) return kept;
    kept?.target.retire();
    const made = { upstream, target: new ForwardTarget(connectionOf(upstream), `cluster "${clusterId}"`) };
    this.#kept.set(clusterId, made);
    return made;
  }

  /** Requests running in each cluster that has a pool. */
  *running(): IterableIterator<[clusterId: string, count: number]> {
    for (const [clusterId, { target }] of this.#kept) yield [clusterId, target.running];
  }

  #forgetGone(clusterId: string): void {
    try {
      this.#upstreams.get(clusterId);
    } catch (error) {
      // One that is only away keeps its pool: it is back within seconds as a rule.
      if (!isNotFound(error)) return;
      void this.#kept.get(clusterId)?.target[Symbol.asyncDispose]();
      this.#kept.delete(clusterId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ target }) => target[Symbol.asyncDispose]()));
    this.#kept.clear();
  }
}

function connectionOf({ origin, ca, clientCert, clientKey, dialer }: Upstream) {
  return { server: origin, ca, clientCert, clientKey, dialer, connections: perCluster };
}
