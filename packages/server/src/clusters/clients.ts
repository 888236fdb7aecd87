/**
 * ClusterClients: one client for each cluster, kept while the way to it stays the same. Controllers that look at thousands
 * of clusters again and again would otherwise spend their time on building clients.
 */
import { KubeClient } from '@drover/kube';
import type { Upstream, Upstreams } from './upstream.ts';

export class ClusterClients {
  readonly #upstreams: Upstreams;
  readonly #options: { readonly connections?: number };
  readonly #kept = new Map<string, { readonly upstream: Upstream; readonly client: KubeClient }>();

  /** `connections` is for watches, each of which takes one. */
  constructor(upstreams: Upstreams, signal: AbortSignal, options: { readonly connections?: number } = {}) {
    this.#upstreams = upstreams;
    this.#options = options;
    upstreams.subscribe(clusterId => this.#forgetOld(clusterId), signal);
    signal.addEventListener('abort', () => this.#clear(), { once: true });
  }

  /** Throws as Upstreams.get does. What it gives is not the caller's to dispose. */
  get(clusterId: string): KubeClient {
    const upstream = this.#upstreams.get(clusterId);
    const kept = this.#kept.get(clusterId);
    if (kept?.upstream === upstream) return kept.client;
    this.#drop(clusterId);
    const client = new KubeClient(
      { ...this.#upstreams.connection(clusterId), ...this.#options },
      { timeoutMs: requestTimeoutMs },
    );
    this.#kept.set(clusterId, { upstream, client });
    return client;
  }

  #forgetOld(clusterId: string): void {
    const kept = this.#kept.get(clusterId);
    if (!kept) return;
    try {
      if (this.#upstreams.get(clusterId) === kept.upstream) return;
    } catch {
      // Away or deleted: either way this client has nowhere to go.
    }
    this.#drop(clusterId);
  }

  #drop(clusterId: string): void {
    const kept = this.#kept.get(clusterId);
    this.#kept.delete(clusterId);
    kept?.client[Symbol.asyncDispose]().catch(() => undefined);
  }

  #clear(): void {
    for (const clusterId of [...this.#kept.keys()]) this.#drop(clusterId);
  }
}

const requestTimeoutMs = 10_000;
