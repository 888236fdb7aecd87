/** Realms: from who asks, and for what, to what he finds there. Nobody gets a cluster's that he is no member of. */
import { forbidden } from '@drover/base';
import type { Auth } from '../auth/index.ts';
import type { Caller } from '../http/exchange.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import type { ClusterHolds } from './cluster-hold.ts';
import { ClusterRealm } from './cluster-realm.ts';
import type { Realm } from './realm.ts';

export interface RealmsDeps {
  readonly holds: ClusterHolds;
  readonly worker: CacheWorker;
  readonly auth: Pick<Auth, 'access' | 'resolveIdentity'>;
}

export class Realms {
  readonly #deps: RealmsDeps;

  constructor(deps: RealmsDeps) {
    this.#deps = deps;
  }

  /** Throws Forbidden for who is no member, ServiceUnavailable with its cause where the cluster is away. */
  cluster(caller: Caller, rawHeaders: readonly string[], clusterId: string): Realm {
    const { auth, holds, worker } = this.#deps;
    const scoped = caller.clusterId !== undefined && caller.clusterId !== clusterId;
    // One text for what is not there and for what is not the caller's, so that ids can't be tried out.
    if (scoped || !auth.access.mayReach(caller, clusterId))
      throw forbidden(`you are not a member of a cluster "${clusterId}"`, { kind: 'cluster', name: clusterId });
    return new ClusterRealm(holds.get(clusterId), worker, auth.resolveIdentity(caller, rawHeaders, clusterId));
  }

  /** The server's own resources, and the local cluster's where there is one that he is a member of. */
  own(caller: Caller, rawHeaders: readonly string[]): Realm {
    return this.cluster(caller, rawHeaders, 'local');
  }
}
