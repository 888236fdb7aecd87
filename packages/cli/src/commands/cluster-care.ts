/** clusters snapshot, snapshots, restore, rotate-…: what a cluster on hosts needs in its life. Asked for here, done by the server. */
import { invalid } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { age, printList } from '../output.ts';
import { askYes } from '../prompt.ts';

const titleOf = (cluster: V3Resource): string => cluster.name ?? cluster.id;

export async function snapshotCluster(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  await context.client.action(cluster, 'backupEtcd');
  process.stderr.write(`${say('clusterSnapshotAsked', { name: titleOf(cluster) })}\n`);
}

const snapshotsOf = ({ client }: Context, { id }: V3Resource): Promise<V3Resource[]> =>
  client.list('etcdBackups', { clusterId: id, sort: 'created', order: 'desc' });

export async function listSnapshots(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  await printList(
    await snapshotsOf(context, await findCluster(context, wanted)),
    [
      { title: 'ID', value: backup => backup.id },
      { title: 'FILE', value: backup => backup['filename'] as string },
      { title: 'STATE', value: backup => backup.state },
      { title: 'BY', value: backup => (backup['manual'] ? 'hand' : 'time') },
      { title: 'AGE', value: backup => age(backup['created'] as string) },
      { title: 'MESSAGE', value: backup => backup['transitioningMessage'] as string | undefined },
    ],
    { format: context.format, none: say('nothing') },
  );
}

export interface RestoreFlags extends GlobalFlags {
  readonly with?: string;
  readonly yes?: boolean;
}

export async function restoreCluster(wanted: string, snapshot: string, flags: RestoreFlags): Promise<void> {
  if (flags.with !== undefined && flags.with !== 'kubernetesVersion' && flags.with !== 'all')
    throw invalid('--with', 'must be kubernetesVersion or all');
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  const all = await snapshotsOf(context, cluster);
  const found = all.find(one => one.id === snapshot || one['filename'] === snapshot);
  if (!found)
    throw invalid(
      'snapshot',
      `${snapshot} is none of ${all.map(one => one['filename']).join(', ') || 'them: there is none'}`,
    );
  const names = { name: titleOf(cluster), snapshot: String(found['filename']) };
  if (!flags.yes && !(await askYes(say('clusterRestoreAsk', names), '--yes'))) return;
  await context.client.action(cluster, 'restoreFromEtcdBackup', {
    etcdBackupId: found.id,
    restoreRkeConfig: flags.with ?? '',
  });
  process.stderr.write(`${say('clusterRestoreAsked', names)}\n`);
}

export interface RotateFlags extends GlobalFlags {
  readonly service?: string;
  readonly ca?: boolean;
}

export async function rotateCertificates(wanted: string, flags: RotateFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  await context.client.action(cluster, 'rotateCertificates', {
    caCertificates: flags.ca === true,
    ...(flags.service === undefined ? {} : { services: flags.service }),
  });
  process.stderr.write(`${say('clusterRotateAsked', { name: titleOf(cluster) })}\n`);
}

export async function rotateEncryptionKey(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const cluster = await findCluster(context, wanted);
  await context.client.action(cluster, 'rotateEncryptionKey');
  process.stderr.write(`${say('clusterRotateAsked', { name: titleOf(cluster) })}\n`);
}
