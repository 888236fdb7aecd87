/**
 * foreign-credentials: keeps the way into a cluster behind a foreign agent: renews its token long before it ends, and where somebody took
 * away what that token stands for, lets the agent come anew, since nobody else can make it again.
 */
import { isTrue, type Log, type Resource, StatusError } from '@drover/base';
import { type Connection, KubeClient, namespaces } from '@drover/kube';
import type { TunnelServer } from '@drover/tunnel';
import type { Upstreams } from '../clusters/upstream.ts';
import { renewForeign } from '../connect/foreign-agent.ts';
import { type Controller, controller } from '../resources/index.ts';

export interface ForeignCredentialsDeps {
  readonly upstreams: Upstreams;
  readonly tunnels: Pick<TunnelServer, 'closeClient'>;
  /** How often it is tried whether the token is still good. */
  readonly repairEveryMs?: number;
}

/** An agent that has just come back needs some time to be taken in. */
const longestPatienceMs = 10_000;

export function foreignCredentials({
  upstreams,
  tunnels,
  repairEveryMs = 60_000,
}: ForeignCredentialsDeps): Controller<'cluster'> {
  const patienceMs = Math.min(longestPatienceMs, 2 * repairEveryMs);
  const sentAway = new Map<string, number>();
  return controller({
    name: 'foreign-credentials',
    for: 'cluster',
    async reconcile(cluster, { resources, log }) {
      const { name } = cluster.metadata;
      if (!cluster.status?.serviceAccountTokenSecret || !isTrue(cluster.status.conditions, 'Connected'))
        return undefined;
      const connection = upstreams.connection(name);
      if (await isShutOut(connection)) {
        const now = performance.now();
        if (now - (sentAway.get(name) ?? -patienceMs) >= patienceMs) {
          sentAway.set(name, now);
          sendAway(tunnels, name, log);
        }
        return { after: Math.min(repairEveryMs, patienceMs) };
      }
      sentAway.delete(name);
      const after = await renewForeign(resources, cluster, connection);
      return { after: Math.min(after ?? repairEveryMs, repairEveryMs) };
    },
  });
}

/** It dials in again, and hands over what makes the account anew. */
function sendAway(tunnels: ForeignCredentialsDeps['tunnels'], clusterId: string, log: Log): void {
  log.warn(
    { cluster: clusterId },
    'the account that this server has in the cluster was changed there; it is made anew',
  );
  tunnels.closeClient(clusterId, 'the account that the server has in this cluster was changed; register again');
}

/** Whether the cluster no longer takes the token, or lets it be nobody. What else goes wrong is others' to tell. */
async function isShutOut(connection: Connection): Promise<boolean> {
  await using kube = new KubeClient(connection, { timeoutMs: 15_000 });
  try {
    await kube.get<Resource>(namespaces, 'kube-system');
    return false;
  } catch (error) {
    if (error instanceof StatusError && (error.status === 401 || error.status === 403)) return true;
    throw error;
  }
}
