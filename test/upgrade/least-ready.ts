/** How many pods of a Deployment were ready at the worst moment: by a watch, so that no moment is missed. */

import type { Resource } from '@drover/base';
import { type Connection, KubeClient, pods, WatchCache } from '@drover/kube';

interface Pod extends Resource {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export interface LeastReady extends AsyncDisposable {
  /** So far. */
  readonly least: number;
  readonly now: number;
}

export async function watchLeastReady(connection: Connection, labelSelector: string): Promise<LeastReady> {
  const end = new AbortController();
  const client = new KubeClient(connection);
  const cache = new WatchCache<Pod>(client, pods, { namespace: 'default', labelSelector });
  const running = cache.run(end.signal).catch(error => {
    if (!end.signal.aborted) throw error;
  });
  await cache.synced();
  const ready = () =>
    cache
      .list()
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
      .length;
  let least = ready();
  cache.subscribe(() => {
    least = Math.min(least, ready());
  });
  return {
    get least() {
      return least;
    },
    get now() {
      return ready();
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      await client[Symbol.asyncDispose]();
    },
  };
}
