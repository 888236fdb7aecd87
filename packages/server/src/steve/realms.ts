/** Realms: from who asks, and for what, to what he finds there. Nobody gets a cluster's that he is no member of. */
import { StatusError } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { requireNotHeldBack } from '../auth/index.ts';
import { notMember } from '../explain/refusal.ts';
import type { Caller } from '../http/exchange.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import type { ClusterHolds } from './cluster-hold.ts';
import { ClusterRealm } from './cluster-realm.ts';
import { HubRealm } from './hub-realm.ts';
import type { Realm } from './realm.ts';
import { StoreRealm, type StoreTypes } from './store-realm.ts';

export interface RealmsDeps {
  readonly holds: ClusterHolds;
  readonly worker: CacheWorker;
  readonly api: ApiDeps;
  readonly own: StoreTypes;
}

export class Realms {
  readonly #deps: RealmsDeps;

  constructor(deps: RealmsDeps) {
    this.#deps = deps;
  }

  /** Throws Forbidden for who is no member, ServiceUnavailable with its cause where the cluster is away. */
  cluster(caller: Caller, rawHeaders: readonly string[], clusterId: string): Realm {
    const { api, holds, worker } = this.#deps;
    const { auth } = api;
    const scoped = caller.clusterId !== undefined && caller.clusterId !== clusterId;
    // One text for what is not there and for what is not the caller's, so that ids can't be tried out.
    if (scoped || !auth.access.mayReach(caller, clusterId)) throw notMember(clusterId);
    const identity = auth.resolveIdentity(caller, rawHeaders, clusterId);
    requireNotHeldBack(auth.access, identity, { clusterId });
    return new ClusterRealm(holds.get(clusterId), worker, identity);
  }

  /** The server's own resources, and the local cluster's where there is one that he is a member of. */
  own(caller: Caller, rawHeaders: readonly string[], base: string): Realm {
    return new HubRealm(this.#store(caller, base), this.#local(caller, rawHeaders));
  }

  /** What is shown to who is not signed in: settings that sign-in pages need. */
  anonymous(base: string): Realm {
    return this.#store(nobody, base);
  }

  #store(caller: Caller, base: string): StoreRealm {
    const { api: deps, worker, own } = this.#deps;
    return new StoreRealm({ deps, worker, own, caller, base });
  }

  #local(caller: Caller, rawHeaders: readonly string[]): Realm | undefined {
    try {
      return this.cluster(caller, rawHeaders, 'local');
    } catch (error) {
      // None, none of his, or away: his own part of the server is there all the same.
      if (error instanceof StatusError && ['Forbidden', 'NotFound', 'ServiceUnavailable'].includes(error.reason))
        return undefined;
      throw error;
    }
  }
}

const nobody: Caller = {
  userId: 'system:anonymous',
  username: '',
  groups: ['system:unauthenticated'],
  extra: {},
  tokenId: '',
  via: 'bearer',
};
