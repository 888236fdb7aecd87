/** `/v1`, put together: what the server's main opens once, after the ways to clusters are there. */
import type { IncomingMessage } from 'node:http';
import type { Log } from '@drover/base';
import type { Auth } from '../auth/index.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Route } from '../http/exchange.ts';
import { CacheWorker } from './cache/cache-worker.ts';
import { ClusterHolds, type HoldLimits } from './cluster-hold.ts';
import { Realms } from './realms.ts';
import { steveRoutes } from './route.ts';

export interface SteveOptions {
  readonly auth: Auth;
  readonly upstreams: Upstreams;
  readonly setting: (name: string) => string;
  readonly baseUrl: (request: IncomingMessage) => string;
  /** Where lists are kept while the server runs. */
  readonly dir: string;
  readonly limits?: Partial<HoldLimits>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Steve extends AsyncDisposable {
  readonly routes: Route[];
}

export function openSteve({ auth, upstreams, setting, baseUrl, dir, limits, log, signal }: SteveOptions): Steve {
  const worker = new CacheWorker(dir);
  const holds = new ClusterHolds({ upstreams, worker, log }, signal, limits);
  const realms = new Realms({ holds, worker, auth });
  return {
    routes: steveRoutes({ realms, baseUrl, setting, sessions: auth.sessions, log }),
    async [Symbol.asyncDispose]() {
      await holds[Symbol.asyncDispose]();
      await worker[Symbol.asyncDispose]();
    },
  };
}
