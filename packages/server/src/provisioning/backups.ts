/**
 * Snapshots of a cluster's etcd: makes those that were asked for, oldest first, tells of those that the hosts make by themselves, and
 * takes off the hosts what is deleted here.
 */
import type { Cluster, EtcdBackup } from '@drover/api';
import { findCondition, ignoreNotFound, messageOf, type NewCondition, setCondition } from '@drover/base';
import type { KeptState } from '@drover/engine';
import { managedNodeName } from '../controllers/node-plan.ts';
import { finalizerOf, type Resources } from '../resources/index.ts';
import type { EngineRun } from './engine-run.ts';
import type { Timeline } from './timeline.ts';

export const backupFinalizer = finalizerOf('etcd-backup');

export interface BackupsDeps {
  readonly resources: Resources;
  readonly cluster: Cluster;
  readonly run: EngineRun;
  readonly state: KeptState;
  readonly version: string;
  readonly timeline: Timeline;
  readonly signal: AbortSignal;
}

const conditionOf = (backup: EtcdBackup) => findCondition(backup.status?.conditions, 'Completed');

/** Whether something about the cluster's snapshots is asked for and not done. */
export const isAskedFor = (backups: readonly EtcdBackup[]): boolean =>
  backups.some(backup => backup.metadata.deletionTimestamp || (backup.spec?.manual && !isOver(backup)));

const isOver = (backup: EtcdBackup): boolean => {
  const { status, reason } = conditionOf(backup) ?? {};
  return status === 'True' || reason === 'Error';
};

/** What one that was asked for begins with. */
export const asked = {
  finalizers: [backupFinalizer],
  conditions: setCondition(undefined, {
    type: 'Completed',
    status: 'False',
    reason: 'Waiting',
    message: 'waiting for its turn',
  }),
} as const;

export async function carryOutBackups(backups: readonly EtcdBackup[], deps: BackupsDeps): Promise<void> {
  const { resources, run, timeline } = deps;
  const inOrder = [...backups].sort((a, b) => timeOf(a) - timeOf(b));
  for (const backup of inOrder) {
    const { name, namespace } = backup.metadata;
    const filename = backup.spec?.filename ?? '';
    if (backup.metadata.deletionTimestamp) {
      await timeline.step('snapshots', `remove ${filename}`, () => run.removeSnapshot(filename));
      await ignoreNotFound(resources.modify('etcdBackup', { name, namespace }, seen => withoutFinalizer(seen)));
      continue;
    }
    if (!backup.spec?.manual || isOver(backup)) continue;
    await tell(deps, backup, { type: 'Completed', status: 'False', reason: 'Working', message: 'being made' });
    try {
      await timeline.step('snapshots', `make ${filename}`, () => run.saveSnapshot(filename));
      await tell(deps, backup, { type: 'Completed', status: 'True' });
    } catch (error) {
      deps.signal.throwIfAborted();
      await tell(deps, backup, { type: 'Completed', status: 'False', reason: 'Error', message: messageOf(error) });
    }
  }
}

/** Those that the hosts made by themselves, as they are there now. */
export async function tellRecurring(backups: readonly EtcdBackup[], deps: BackupsDeps): Promise<void> {
  const { resources, cluster, run } = deps;
  const clusterId = cluster.metadata.name;
  const there = new Map((await run.listSnapshots()).map(one => [one.name, one]));
  const known = new Set(backups.map(({ spec }) => spec?.filename));
  for (const [filename] of there) {
    if (known.has(filename) || !filename.endsWith('_etcd')) continue;
    const backup = await resources.create('etcdBackup', {
      metadata: {
        name: `b-${managedNodeName(filename).slice(2)}`,
        namespace: clusterId,
        finalizers: [backupFinalizer],
      },
      spec: { clusterName: clusterId, filename, manual: false },
    });
    await tell(deps, backup, { type: 'Completed', status: 'True' });
  }
  for (const backup of backups) {
    if (backup.spec?.manual || there.has(backup.spec?.filename ?? '') || backup.metadata.deletionTimestamp) continue;
    const { name, namespace } = backup.metadata;
    // Its time was over: the hosts keep a number of them.
    await ignoreNotFound(resources.modify('etcdBackup', { name, namespace }, seen => withoutFinalizer(seen)));
    await ignoreNotFound(resources.delete('etcdBackup', { name, namespace }));
  }
}

const timeOf = ({ metadata }: EtcdBackup): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

function withoutFinalizer(backup: EtcdBackup): EtcdBackup {
  const finalizers = (backup.metadata.finalizers ?? []).filter(one => one !== backupFinalizer);
  return { ...backup, metadata: { ...backup.metadata, finalizers } };
}

async function tell(
  { resources, cluster, version }: BackupsDeps,
  backup: EtcdBackup,
  next: NewCondition,
): Promise<void> {
  const { name, namespace } = backup.metadata;
  await ignoreNotFound(
    resources.modify('etcdBackup', { name, namespace }, seen => ({
      ...seen,
      status: {
        ...seen.status,
        conditions: setCondition(setCondition(seen.status?.conditions, { type: 'Created', status: 'True' }), next),
        kubernetesVersion: version,
        clusterObject: JSON.stringify(cluster.spec?.rancherKubernetesEngineConfig ?? {}),
      },
    })),
  );
}
