/**
 * Starts the controllers of clusters. Each works on the clusters that this replica owns, and looks at one at once when
 * it is gained, when its agent comes or goes, and when its resource changes.
 */

import { limited } from '@drover/engine';
import { resolveImage } from '../connect/import-manifest.ts';
import { authorizedEndpoint, indexEndpointTokens } from '../controllers/authorized-endpoint.ts';
import { clusterCleanup } from '../controllers/cluster-cleanup.ts';
import { clusterConnection } from '../controllers/cluster-connection.ts';
import { clusterMembers } from '../controllers/cluster-members.ts';
import { startOwnership } from '../controllers/cluster-ownership.ts';
import { clusterProjects } from '../controllers/cluster-projects.ts';
import { clusterRegistration, registrationTokenRotation } from '../controllers/cluster-registration.ts';
import { clusterShellSweep } from '../controllers/cluster-shell-sweep.ts';
import { foreignCredentials } from '../controllers/foreign-credentials.ts';
import { indexGrants } from '../controllers/grants-in-cluster.ts';
import { namespacePolicy } from '../controllers/namespace-policy.ts';
import { indexNodes, runNodeSync } from '../controllers/node-sync.ts';
import { runPodSecurity } from '../controllers/pod-security.ts';
import { runProjectIsolation } from '../controllers/project-isolation.ts';
import { runProjectMembers } from '../controllers/project-members.ts';
import { runProjectQuotas } from '../controllers/project-quotas.ts';
import { indexProjectSecrets, runProjectSecrets } from '../controllers/project-secrets.ts';
import { runHistory } from '../history/record.ts';
import { forgetHistory } from '../history/segments.ts';
import { type ProvisioningDeps, runProvisioning } from '../provisioning/provision-cluster.ts';
import type { ControllerContext, RunningController } from '../resources/index.ts';
import { startController } from '../resources/index.ts';
import { ClusterClients } from './clients.ts';
import { InsideWork, untilDeleted } from './inside-work.ts';
import type { Clusters, ClustersDeps } from './open.ts';
import { ownedOnly } from './owned-only.ts';

/** Runs until the deps' signal aborts. `replica` names this process among those on the same store. */
export function startClusterControllers(deps: ClustersDeps, clusters: Clusters, replica: string): RunningController[] {
  const { store, resources, caches, removals, setting, log, signal, repairEveryMs } = deps;
  const claim = (clusterId: string) => ownership.claim(clusterId);
  const { upstreams } = clusters;
  const context: ControllerContext = { resources, caches, log, signal };
  const running: RunningController[] = [];
  const pokeAll = (clusterId: string) => {
    for (const controller of running) controller.poke(clusterId);
  };
  indexNodes(caches);
  indexGrants(caches);
  indexProjectSecrets(caches);
  indexEndpointTokens(caches);
  const work = new InsideWork();
  const firstLists = limited(listedAtOnce);
  const provisioning = provisioningDeps(deps, clusters);
  const ownership = startOwnership({
    store,
    replica,
    wanted: () => [...caches.cluster.all()].map(cluster => cluster.metadata.name),
    gained: (clusterId, owned) => {
      pokeAll(clusterId);
      const held = resources.whileHolding(() => ownership.claim(clusterId));
      const kept = untilDeleted(caches, clusterId, owned);
      const inside = (run: () => Promise<void>) => void work.during(clusterId, run);
      void runNodeSync({ upstreams, resources: held, caches, log }, clusterId, owned);
      inside(() =>
        runProjectMembers({ upstreams, caches, setting, removals, claim, log, repairEveryMs }, clusterId, kept),
      );
      inside(() => runPodSecurity({ upstreams, resources: held, caches, log }, clusterId, kept));
      inside(() => runProjectIsolation({ upstreams, resources: held, caches, setting, log }, clusterId, kept));
      inside(() => runProjectSecrets({ upstreams, resources: held, caches, setting, log }, clusterId, kept));
      inside(() => runProjectQuotas({ upstreams, resources: held, caches, setting, log }, clusterId, kept));
      void runHistory({ store, upstreams, claim, setting, turn: firstLists, log }, clusterId, owned);
      if (provisioning) void runProvisioning({ ...provisioning, resources: held }, clusterId, owned);
    },
    log,
    signal,
  });
  caches.cluster.subscribe(({ key, before, after }) => {
    if (!after) forgetHistory(store, key).catch(error => log.warn({ cluster: key, err: error }, 'its past is kept'));
    if (!before || !after) ownership.look();
  }, signal);
  const clients = new ClusterClients(upstreams, signal);
  const members = startController(
    ownedOnly(clusterMembers({ clients, setting, removals, claim, repairEveryMs }), ownership, work),
    context,
  );
  running.push(members);
  removals.onChange(clusterIds => {
    for (const id of clusterIds) if (removals.ready(id, 'members').length > 0) members.poke(id);
  }, signal);
  for (const controller of [
    clusterConnection(upstreams, clients),
    clusterProjects({ clients, setting }),
    namespacePolicy({ clients, setting }),
    clusterShellSweep({ clients, setting }),
    clusterCleanup({ upstreams, setting, isBusy: clusterId => work.isBusy(clusterId) }),
    foreignCredentials({ upstreams, tunnels: clusters.tunnels, repairEveryMs }),
    authorizedEndpoint({
      clients,
      setting,
      agentImage: cluster => {
        const image = cluster.spec?.agentImageOverride || setting('agent-image');
        return image && resolveImage(image, setting('system-default-registry'));
      },
    }),
  ])
    running.push(startController(ownedOnly(controller, ownership, work), context));
  // Harmless when two replicas do it, and somebody who just made a cluster is waiting for its command.
  running.push(startController(clusterRegistration, context));
  upstreams.subscribe(pokeAll, signal);
  return [...running, startController(registrationTokenRotation({ upstreams, setting }), context)];
}

/** So many clusters are worked on by one replica at once. */
const provisionedAtOnce = 4;
/** Of so many clusters the past is begun with at once. */
const listedAtOnce = 8;

function provisioningDeps(deps: ClustersDeps, clusters: Clusters): Omit<ProvisioningDeps, 'resources'> | undefined {
  const { caches, setting, log, identity, archives, bundleDirs = [], ownUrl = () => '' } = deps;
  if (!identity || !archives) return undefined;
  const serverKey = identity.publicKey;
  const turn = limited(provisionedAtOnce);
  return { caches, tunnels: clusters.hostTunnels, archives, bundleDirs, setting, serverKey, ownUrl, turn, log };
}
