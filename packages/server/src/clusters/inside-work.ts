/**
 * InsideWork: who writes into which cluster at this moment. Before what we put into a cluster is taken out of it, everybody else has to be
 * through: a role that is written in that moment would be left in it for ever.
 */
import { anySignal, Tally } from '@drover/base';
import type { Caches } from '../resources/index.ts';

export class InsideWork {
  readonly #running = new Tally<string>();

  /** Whether any work in the cluster has not ended. */
  isBusy(clusterId: string): boolean {
    return this.#running.of(clusterId) > 0;
  }

  /** Runs the work, and knows of it until it ends. */
  async during<T>(clusterId: string, work: () => Promise<T>): Promise<T> {
    this.#running.add(clusterId);
    try {
      return await work();
    } finally {
      this.#running.remove(clusterId);
    }
  }
}

/** Aborts with `signal`, and when the cluster is being deleted. */
export function untilDeleted(caches: Pick<Caches, 'cluster'>, clusterId: string, signal: AbortSignal): AbortSignal {
  const deleted = new AbortController();
  const either = anySignal(signal, deleted.signal);
  const look = () => {
    if (caches.cluster.get(clusterId)?.metadata.deletionTimestamp)
      deleted.abort(new Error('the cluster is being deleted'));
  };
  caches.cluster.subscribe(look, either, { key: clusterId });
  look();
  return either;
}
