/** Snapshots of etcd in v3: asked for by hand, made by the cluster's owner, and taken off the hosts when they are deleted. */
import type { EtcdBackup } from '@drover/api';
import { invalid } from '@drover/base';
import { asked } from '../provisioning/backups.ts';
import { isOnHosts } from '../provisioning/cluster-status.ts';
import { behaviour } from './behaviour.ts';
import { backupName } from './cluster-engine.ts';

export const etcdBackups = behaviour<EtcdBackup>({
  prepareCreate(request, input) {
    const clusterId = String(input['clusterId'] ?? '');
    const cluster = request.deps.caches.cluster.get(clusterId);
    if (!cluster || !isOnHosts(cluster) || !request.deps.auth.access.mayReach(request.caller, clusterId))
      throw invalid('clusterId', 'is no cluster that this server makes of hosts', 'InvalidReference');
    // Where it goes and how it is called is the cluster's own.
    const { backupConfig: _, name: __, ...rest } = input;
    return { ...rest, filename: backupName(cluster, new Date()), manual: true };
  },
  async afterCreate({ deps: { resources } }, { metadata: { name, namespace } }) {
    await resources.modify('etcdBackup', { name, namespace }, seen => ({
      ...seen,
      metadata: { ...seen.metadata, finalizers: [...asked.finalizers] },
      status: { ...seen.status, conditions: asked.conditions },
    }));
  },
});
