/**
 * DoneInside: what a controller did in each cluster, over which client, and for how long it need not look again. A cluster's status
 * changes far more often than what is inside it, and each change wakes every controller of clusters.
 */
import type { KubeClient } from '@drover/kube';

interface Done {
  readonly over: KubeClient;
  readonly what: string;
  readonly untilMs: number;
}

export class DoneInside {
  readonly #done = new Map<string, Done>();

  /** For how long that holds yet, in ms: 0 where it was something else, over another client, or too long ago. */
  restMs(clusterId: string, over: KubeClient, what = ''): number {
    const last = this.#done.get(clusterId);
    if (last?.over !== over || last.what !== what) return 0;
    return Math.max(0, last.untilMs - performance.now());
  }

  note(clusterId: string, { over, what = '', forMs }: { over: KubeClient; what?: string; forMs: number }): void {
    this.#done.set(clusterId, { over, what, untilMs: performance.now() + forMs });
  }

  /** For a cluster that is away or gone: what comes back may be another. */
  forget(clusterId: string): void {
    this.#done.delete(clusterId);
  }
}
