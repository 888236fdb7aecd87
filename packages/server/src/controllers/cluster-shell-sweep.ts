/**
 * cluster-shell-sweep: removes pods of kubectl shells whose token is over: what a server that was killed, or that could not reach the
 * cluster, left behind. A shell that runs has a token that is good, whichever server it runs on.
 */
import { ignoreNotFound, isTrue, type Resource } from '@drover/base';
import { pods } from '@drover/kube';
import { isOver } from '../auth/token-life.ts';
import { shellNamespace, tokenAnnotation } from '../cluster-shells/shell-pod.ts';
import type { ClusterClients } from '../clusters/clients.ts';
import { type Controller, controller, type Resources } from '../resources/index.ts';
import { DoneInside } from './done-inside.ts';
import { isOurs, maybeOurShells } from './ours.ts';

/** While there are any, and while there are none. */
const lookEveryMs = 5 * 60_000;
const restMs = 60 * 60_000;

export interface ClusterShellSweepDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly setting: (name: string) => string;
}

export function clusterShellSweep({ clients, setting }: ClusterShellSweepDeps): Controller<'cluster'> {
  const done = new DoneInside();
  return controller({
    name: 'cluster-shell-sweep',
    for: 'cluster',
    async reconcile(cluster, { resources, signal, log }) {
      const { name } = cluster.metadata;
      if (!isTrue(cluster.status?.conditions, 'Connected')) {
        done.forget(name);
        return undefined;
      }
      const client = clients.get(name);
      const leftMs = done.restMs(name, client);
      if (leftMs > 0) return { after: leftMs };
      const options = { namespace: shellNamespace, labelSelector: maybeOurShells, signal };
      const { items } = await client.list(pods, options);
      const ours = items.filter(pod => isOurs(pod, setting('install-uuid')));
      for (const pod of ours) {
        if (await isAlive(pod, resources)) continue;
        const { name: podName, uid } = pod.metadata;
        const exactly = { namespace: shellNamespace, gracePeriodSeconds: 0, preconditions: { uid }, signal };
        await ignoreNotFound(client.delete(pods, podName, exactly));
        log.info({ cluster: name, pod: podName }, 'a kubectl shell that was left behind is removed');
      }
      const after = ours.length > 0 ? lookEveryMs : restMs;
      done.note(name, { over: client, forMs: after });
      return { after };
    },
  });
}

/** Asked of the store: another server may have made it just now. */
async function isAlive(pod: Resource, resources: Resources): Promise<boolean> {
  const name = pod.metadata.annotations?.[tokenAnnotation];
  const token = name ? await resources.find('token', name) : undefined;
  return token !== undefined && token.enabled !== false && !isOver(token, Date.now());
}
