/** EtcdBackup: one snapshot of a cluster's etcd, asked for by somebody or made by the hosts themselves. */
import { boolean, int, password, reference, string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, falseByDefault, readOnly } from './shared.ts';

const whole = (value: number) => int({ nullable: false, default: value });

export const backupConfig = struct('backupConfig', {
  enabled: boolean({ default: true }),
  intervalHours: whole(12),
  retention: whole(6),
  s3BackupConfig: struct('s3BackupConfig', {
    accessKey: string(),
    bucketName: string(),
    customCa: string(),
    endpoint: string(),
    folder: string(),
    region: string(),
    secretKey: password(),
  }),
  safeTimestamp: falseByDefault(),
  timeout: whole(300),
});

export const etcdBackup = defineType({
  id: 'etcdBackup',
  pluralName: 'etcdBackups',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'EtcdBackup',
  resource: 'etcdbackups',
  scope: 'namespaced',
  namePrefix: 'b-',
  spec: {
    backupConfig: { ...backupConfig, update: false },
    clusterName: reference('cluster', { as: 'clusterId', required: true, update: false }),
    /** Of the snapshot on the hosts, without what stands behind the dot. */
    filename: string({ update: false }),
    manual: falseByDefault(),
  },
  status: {
    conditions: conditions('etcdBackupCondition'),
    kubernetesVersion: string(readOnly),
    /** Of the cluster when it was made: what a restore of its settings brings back. */
    clusterObject: password(readOnly),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    status: 'nested',
    nameFrom: 'metadata',
    namespaceFrom: 'clusterId',
  },
  columns: ['id', 'filename', 'state', 'manual', 'created'],
});
