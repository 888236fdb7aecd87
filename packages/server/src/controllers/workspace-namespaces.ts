/**
 * workspace-namespaces: the cluster that the server runs itself has a namespace for each workspace, where what is delivered to its
 * clusters is kept. A namespace that was there before is somebody's own: it is used, and never deleted.
 */
import type { FleetWorkspace } from '@drover/api';
import { ignoreExists, ignoreNotFound, isUnavailable, type Resource } from '@drover/base';
import { type KubeClient, namespaces } from '@drover/kube';
import type { ClusterClients } from '../clusters/clients.ts';
import { localClusterId } from '../clusters/upstreams.ts';
import { type Controller, type ControllerContext, controller } from '../resources/index.ts';

/** On a namespace that was made for a workspace: that one's UID. */
const madeFor = 'drover.io/fleet-workspace';
/** Set to `false` on a workspace, it has no namespace from here. */
const managed = 'provisioning.cattle.io/managed';
const awayAgainMs = 15_000;

export interface WorkspaceNamespacesDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
}

export function workspaceNamespaces({ clients }: WorkspaceNamespacesDeps): Controller<'fleetWorkspace'> {
  /** Over which client a workspace, by its UID, was last seen to: the cluster's status changes far more often. */
  const seenTo = new Map<string, KubeClient>();

  /** Does it in the local cluster, if there is one; waits where it is away. */
  async function there(
    { caches }: ControllerContext,
    work: (client: KubeClient) => Promise<void>,
  ): Promise<{ after: number } | undefined> {
    if (!caches.cluster.get(localClusterId)) return undefined;
    try {
      await work(clients.get(localClusterId));
      return undefined;
    } catch (error) {
      if (isUnavailable(error)) return { after: awayAgainMs };
      throw error;
    }
  }

  return controller({
    name: 'workspace-namespaces',
    for: 'fleetWorkspace',
    watches: {
      // Once it is there, or back, they are looked at anew.
      cluster: ({ metadata }, { caches }) =>
        metadata.name === localClusterId ? Array.from(caches.fleetWorkspace.all(), one => one.metadata.name) : [],
    },
    reconcile(workspace, context) {
      const { annotations, uid = '' } = workspace.metadata;
      if (annotations?.[managed] === 'false') return Promise.resolve(undefined);
      return there(context, async client => {
        if (seenTo.get(uid) === client) return;
        await ensureNamespace(client, workspace, context.signal);
        seenTo.set(uid, client);
      });
    },
    finalize(workspace, context) {
      seenTo.delete(workspace.metadata.uid ?? '');
      return there(context, client => removeNamespace(client, workspace, context.signal));
    },
  });
}

async function ensureNamespace(client: KubeClient, { metadata }: FleetWorkspace, signal: AbortSignal): Promise<void> {
  const { name, uid = '' } = metadata;
  if (await ignoreNotFound(client.get(namespaces, name, { signal }))) return;
  const own = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations: { [madeFor]: uid } } };
  await ignoreExists(client.create(namespaces, own as Resource, { signal }));
}

async function removeNamespace(client: KubeClient, { metadata }: FleetWorkspace, signal: AbortSignal): Promise<void> {
  const seen = await ignoreNotFound(client.get<Resource>(namespaces, metadata.name, { signal }));
  if (seen?.metadata.annotations?.[madeFor] === metadata.uid)
    await ignoreNotFound(client.delete(namespaces, metadata.name, { signal }));
}
