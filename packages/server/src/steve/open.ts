/** `/v1`, put together: what the server's main opens once, after the ways to clusters are there. */
import type { IncomingMessage } from 'node:http';
import type { ApiDeps } from '../api/behaviour.ts';
import type { Caller, Route } from '../http/exchange.ts';
import { CacheWorker } from './cache/cache-worker.ts';
import { ClusterHolds, type HoldLimits } from './cluster-hold.ts';
import type { Realm } from './realm.ts';
import { Realms } from './realms.ts';
import { steveRoutes } from './route.ts';
import { StoreTypes } from './store-realm.ts';

export interface SteveOptions {
  readonly api: ApiDeps;
  readonly baseUrl: (request: IncomingMessage) => string;
  /** Where lists are kept while the server runs. */
  readonly dir: string;
  readonly limits?: Partial<HoldLimits>;
  readonly signal: AbortSignal;
}

export interface Steve extends AsyncDisposable {
  readonly routes: Route[];
  /** A cluster as its caller sees it; throws Forbidden where it is none of his, ServiceUnavailable where it is away. */
  readonly realmOf: (caller: Caller, clusterId: string) => Realm;
}

export function openSteve({ api, baseUrl, dir, limits, signal }: SteveOptions): Steve {
  const { upstreams, log } = api;
  const worker = new CacheWorker(dir);
  const holds = new ClusterHolds({ upstreams, worker, log }, signal, limits);
  const own = new StoreTypes({ deps: api, worker });
  const realms = new Realms({ api, holds, worker, own });
  return {
    routes: steveRoutes({ api, realms, baseUrl }),
    realmOf: (caller, clusterId) => realms.cluster(caller, [], clusterId),
    async [Symbol.asyncDispose]() {
      own.stop();
      await holds[Symbol.asyncDispose]();
      await worker[Symbol.asyncDispose]();
    },
  };
}
