/** For tests and benches: what the server keeps of one real cluster, without a server around it, and the cluster as anybody sees it. */
import { silentLog } from '@drover/base';
import type { Connection } from '@drover/kube';
import type { Identity } from '../auth/index.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import { CacheWorker } from './cache/cache-worker.ts';
import { ClusterHolds, type HoldLimits } from './cluster-hold.ts';
import { ClusterRealm } from './cluster-realm.ts';
import type { View } from './links.ts';
import { listParts } from './list.ts';
import { findType } from './steve-type.ts';

export interface TestRealms extends AsyncDisposable {
  as(user: string, groups?: readonly string[]): ClusterRealm;
  view(user: string, groups?: readonly string[]): Promise<View>;
  /** A list as it is sent, as the user sees it. */
  list(user: string, groups: readonly string[], list: AskedList): Promise<string[]>;
  /** The ids in a list, as the user sees it. */
  ids(user: string, groups: readonly string[], list: AskedList): Promise<string[]>;
}

interface AskedList {
  readonly type: string;
  readonly query?: string;
}

const clusterId = 'c-test';
const base = 'https://localhost';

/** `connection` is a master's. Rows are kept below `dir`. */
export function openTestRealms(connection: Connection, dir: string, limits: Partial<HoldLimits> = {}): TestRealms {
  const { server: origin, ca, clientCert, clientKey } = connection;
  const upstream = { clusterId, kind: 'local', origin, ca, clientCert, clientKey } as const;
  const upstreams: Upstreams = { get: () => upstream, connection: () => connection, subscribe: () => undefined };
  const stop = new AbortController();
  const worker = new CacheWorker(dir);
  const holds = new ClusterHolds({ upstreams, worker, log: silentLog }, stop.signal, limits);
  const as: TestRealms['as'] = (userId, groups = []) => {
    const identity: Identity = { userId, groups: [...groups, 'system:authenticated'], extra: {} };
    return new ClusterRealm(holds.get(clusterId), worker, identity);
  };
  const view: TestRealms['view'] = async (user, groups) => {
    const realm = as(user, groups);
    return { realm, rights: await realm.rights(), base, root: `${base}/k8s/clusters/${clusterId}/v1` };
  };
  const list: TestRealms['list'] = async (user, groups, { type, query = '' }) => {
    const seen = await view(user, groups);
    const found = findType(await seen.realm.types(), type)!;
    return listParts(seen, found, { query: new URLSearchParams(query) });
  };
  return {
    as,
    view,
    list,
    async ids(user, groups, asked) {
      const parts = await list(user, groups, asked);
      return (JSON.parse(parts.join('')) as { data: { id: string }[] }).data.map(one => one.id);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await holds[Symbol.asyncDispose]();
      await worker[Symbol.asyncDispose]();
    },
  };
}
