/**
 * authorized-endpoint: lets people reach a cluster's own kube-apiserver with a token of this server, also when the server is gone.
 * Keeps the cluster's copy of tokens and users in step, and asks the cluster itself whether it works.
 */
import type { Cluster } from '@drover/api';
import {
  findCondition,
  hashKey,
  ignoreNotFound,
  isTrue,
  makeKey,
  messageOf,
  type NewCondition,
  type Resource,
  setCondition,
} from '@drover/base';
import { configMaps, type KubeClient, tokenReviews } from '@drover/kube';
import type { ClusterClients } from '../clusters/clients.ts';
import { type Caches, type Controller, type ControllerContext, controller } from '../resources/index.ts';
import { DoneInside } from './done-inside.ts';
import { type AuthTokenRecord, planEndpoint, probeName } from './endpoint-plan.ts';
import { removeEndpoint, syncEndpoint } from './endpoint-sync.ts';

const condition = 'AuthorizedEndpoint';
/** An edit by hand in the cluster is put right, and the endpoint asked, at the latest after this. */
const repairEveryMs = 60_000;
/** Until it works it is asked more often: somebody is waiting for it. */
const askAgainMs = 5_000;
const tokensByCluster = 'endpoint-cluster';

export interface AuthorizedEndpointDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly setting: (name: string) => string;
  /** The image that the cluster's agents run; empty where there is none. */
  readonly agentImage: (cluster: Cluster) => string;
}

/** A token by which this process asks a cluster's endpoint whether it works. */
interface Probe {
  readonly key: string;
  readonly hash: string;
}

export function indexEndpointTokens(caches: Caches): void {
  caches.token.index(tokensByCluster, ({ clusterName }) => (clusterName ? [clusterName] : []));
}

export function authorizedEndpoint(deps: AuthorizedEndpointDeps): Controller<'cluster'> {
  const probes = new Map<string, Probe>();
  const done = new DoneInside();
  const forget = (id: string) => {
    probes.delete(id);
    done.forget(id);
  };
  return controller({
    name: 'authorized-endpoint',
    for: 'cluster',
    workers: 16,
    watches: {
      token: ({ clusterName }) => (clusterName ? [clusterName] : []),
      user: ({ metadata }, { caches }) => clustersOf(caches, metadata.name),
      userAttribute: ({ metadata }, { caches }) => clustersOf(caches, metadata.name),
    },
    async reconcile(cluster, context) {
      const id = cluster.metadata.name;
      const wanted = cluster.spec?.localClusterAuthEndpoint?.enabled === true;
      const told = findCondition(cluster.status?.conditions, condition) !== undefined;
      if ((!wanted && !told) || !isTrue(cluster.status?.conditions, 'Connected')) {
        forget(id);
        return undefined;
      }
      const client = deps.clients.get(id);
      if (wanted) return keep(cluster, { deps, client, context, done, probe: probeOf(probes, id) });
      forget(id);
      await removeEndpoint({ client, installUuid: deps.setting('install-uuid'), image: '', signal: context.signal });
      await tell(context, id, undefined);
      return undefined;
    },
  });
}

function probeOf(probes: Map<string, Probe>, id: string): Probe {
  let probe = probes.get(id);
  if (!probe) {
    const key = makeKey();
    probe = { key, hash: hashKey(key) };
    probes.set(id, probe);
  }
  return probe;
}

/** The clusters that a user has tokens for. */
const clustersOf = (caches: Caches, userId: string): string[] => [
  ...new Set(Array.from(caches.token.all(), token => (token.userId === userId ? (token.clusterName ?? '') : ''))),
];

interface Keeping {
  readonly deps: AuthorizedEndpointDeps;
  readonly client: KubeClient;
  readonly context: ControllerContext;
  readonly done: DoneInside;
  readonly probe: Probe;
}

async function keep(cluster: Cluster, keeping: Keeping): Promise<{ after: number }> {
  const { deps, client, context, done, probe } = keeping;
  const id = cluster.metadata.name;
  const { caches, signal } = context;
  const installUuid = deps.setting('install-uuid');
  const image = deps.agentImage(cluster);
  const records = planEndpoint({
    tokens: caches.token.by(tokensByCluster, id),
    user: userId => caches.user.get(userId),
    attribute: userId => caches.userAttribute.get(userId),
    probeHash: probe.hash,
    installUuid,
  });
  const what = JSON.stringify([records, image]);
  const restMs = done.restMs(id, client, what);
  const isWell = isTrue(cluster.status?.conditions, condition);
  if (restMs === 0) {
    try {
      await tellUses(context, await syncEndpoint(records, { client, installUuid, image, signal }));
    } catch (error) {
      if (!signal.aborted) await tell(context, id, failed('NotInstalled', messageOf(error)));
      throw error;
    }
    done.note(id, { over: client, what, forMs: repairEveryMs });
    await keepCa(cluster, keeping);
  } else if (isWell) {
    return { after: restMs };
  }
  const works = await asks(client, probe.key, signal);
  await tell(context, id, works ? { type: condition, status: 'True' } : failed('NotAsked', notAsked));
  return { after: works ? repairEveryMs * (0.9 + Math.random() * 0.2) : askAgainMs };
}

const failed = (reason: string, message: string): NewCondition => ({
  type: condition,
  status: 'False',
  reason,
  message,
});

const notAsked =
  'the kube-apiserver does not know this server’s tokens: start each with --authentication-token-webhook-config-file and see that kube-api-auth runs beside it (drover clusters endpoint webhook)';

/** Whether the cluster knows whose the server's own token is. */
async function asks(client: KubeClient, key: string, signal: AbortSignal): Promise<boolean> {
  type Review = Resource<{ readonly token: string }, { readonly user?: { readonly username?: string } }>;
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: {},
    spec: { token: `${probeName}:${key}` },
  } as unknown as Review;
  const { status } = await client.create<Review>(tokenReviews, review, { signal });
  return status?.user?.username === probeName;
}

async function tell({ resources }: ControllerContext, id: string, next: NewCondition | undefined): Promise<void> {
  await ignoreNotFound(
    resources.modify('cluster', { name: id }, seen => {
      const before = seen.status?.conditions ?? [];
      const conditions = next ? setCondition(before, next) : before.filter(one => one.type !== condition);
      return conditions === before || (!next && conditions.length === before.length)
        ? undefined
        : { ...seen, status: { ...seen.status, conditions } };
    }),
  );
}

/** The cluster's own CA, for the kubeconfigs that lead there; every cluster publishes it. */
async function keepCa(cluster: Cluster, { client, context }: Keeping): Promise<void> {
  if (cluster.status?.caCert) return;
  const published = await ignoreNotFound(
    client.get<Resource & { readonly data?: Readonly<Record<string, string>> }>(configMaps, 'kube-root-ca.crt', {
      namespace: 'kube-system',
      signal: context.signal,
    }),
  );
  const pem = published?.data?.['ca.crt'];
  if (!pem) return;
  const caCert = Buffer.from(pem).toString('base64');
  await ignoreNotFound(
    context.resources.modify('cluster', { name: cluster.metadata.name }, seen =>
      seen.status?.caCert ? undefined : { ...seen, status: { ...seen.status, caCert } },
    ),
  );
}

/** A token that was used in the cluster was used; the cluster can't say that it will be. */
async function tellUses({ resources, caches }: ControllerContext, seen: Iterable<AuthTokenRecord>): Promise<void> {
  const msOf = (time: string | undefined) => Date.parse(time ?? '') || 0;
  for (const { metadata, lastUsedAt } of seen) {
    const usedMs = Math.min(msOf(lastUsedAt), Date.now());
    if (!caches.token.get(metadata.name) || usedMs <= msOf(caches.token.get(metadata.name)?.lastUsedAt)) continue;
    await ignoreNotFound(
      resources.modify('token', { name: metadata.name }, old =>
        msOf(old.lastUsedAt) >= usedMs ? undefined : { ...old, lastUsedAt: new Date(usedMs).toISOString() },
      ),
    );
  }
}
