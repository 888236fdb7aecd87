/**
 * What can be done in v3 with a cluster that this server makes of hosts: its timeline, and the actions that ask for a snapshot, for what a
 * snapshot holds, or for new certificates and keys. Each writes what is asked for; the cluster's owner carries it out.
 */
import type { Cluster, V3Data } from '@drover/api';
import { generateName, invalid, messageOf, notFound, sleep } from '@drover/base';
import { checkRestoredVersion } from '@drover/engine';
import { asked } from '../provisioning/backups.ts';
import { isOnHosts } from '../provisioning/cluster-status.ts';
import { isTimelineOf, readTimeline } from '../provisioning/timeline.ts';
import type { ApiRequest, ApiView, ResourceAction } from './behaviour.ts';
import { createdBy } from './created-by.ts';

const longestWaitSeconds = 60;

/** For whoever sees the cluster: what fails on a host is told to all who wait for it. */
export const timeline = async (request: ApiRequest, id: string): Promise<V3Data> => {
  const { caches } = request.deps;
  const cluster = caches.cluster.get(id);
  if (!cluster || !isOnHosts(cluster) || !request.deps.auth.access.mayReach(request.caller, id))
    throw notFound('link', 'timeline');
  const { query, response } = request.exchange;
  const known = numberIn(query, 'after');
  const waitSeconds = numberIn(query, 'waitSeconds') ?? 0;
  if (waitSeconds > longestWaitSeconds)
    throw invalid('waitSeconds', `must be ${longestWaitSeconds} at most`, 'MaxLimitExceeded');
  if (known !== undefined && waitSeconds > 0 && readTimeline(caches, id).revision <= known) {
    const over = new AbortController();
    response.once('close', () => over.abort(new Error('whoever asked has gone')));
    caches.secret.subscribe(({ before, after }) => {
      if (isTimelineOf(id, (after ?? before)!.metadata)) over.abort(new Error('there is news'));
    }, over.signal);
    await sleep(waitSeconds * 1000, over.signal).catch(() => undefined);
    over.abort(new Error('nobody waits any more'));
  }
  const { revision, running, steps } = readTimeline(caches, id);
  return { type: 'clusterTimeline', baseType: 'clusterTimeline', revision, running, data: steps };
};

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw invalid(name, 'must be a whole number', 'InvalidFormat');
  return Number(text);
}

/** For those who may change the cluster. */
const offered = ({ deps, caller }: ApiView, cluster: Cluster): boolean =>
  isOnHosts(cluster) && deps.auth.access.may(caller, 'update', 'cluster', { name: cluster.metadata.name });

const services = ['etcd', 'kubelet', 'kube-apiserver', 'kube-proxy', 'kube-scheduler', 'kube-controller-manager'];

export const engineActions: Readonly<Record<string, ResourceAction<Cluster>>> = {
  backupEtcd: {
    offered,
    async run(request, cluster) {
      await makeBackup(request, cluster);
      return undefined;
    },
  },
  rotateCertificates: {
    offered,
    async run(request, cluster, input) {
      const chosen = [input['services'] ?? []].flat().filter(one => one !== '' && one !== null);
      const unknown = chosen.find(one => !services.includes(String(one)));
      if (unknown !== undefined) throw invalid('services', `must be of ${services.join(', ')}`, 'InvalidOption');
      const caCertificates = input['caCertificates'] === true;
      if (caCertificates && chosen.length > 0)
        throw invalid('services', 'can’t be given with caCertificates, which is for all of them', 'InvalidOption');
      await ask(request, cluster, { rotateCertificates: { caCertificates, services: chosen } });
      return { type: 'rotateCertificateOutput', message: 'rotating certificates for all components' };
    },
  },
  rotateEncryptionKey: {
    offered,
    async run(request, cluster) {
      await ask(request, cluster, { rotateEncryptionKey: true });
      return { type: 'rotateEncryptionKeyOutput', message: 'rotating the key of Secrets' };
    },
  },
  restoreFromEtcdBackup: {
    offered,
    async run(request, cluster, input) {
      const id = String(input['etcdBackupId'] ?? '');
      const name = id.includes(':') ? id.slice(id.indexOf(':') + 1) : id;
      const backup = request.deps.caches.etcdBackup.get(name, cluster.metadata.name);
      if (!backup?.spec?.filename) throw invalid('etcdBackupId', 'is no snapshot of this cluster', 'InvalidReference');
      const done = backup.status?.conditions?.some(({ type, status }) => type === 'Completed' && status === 'True');
      if (!done) throw invalid('etcdBackupId', 'is a snapshot that is not complete', 'InvalidState');
      const how = String(input['restoreRkeConfig'] ?? '');
      if (!['', 'kubernetesVersion', 'all'].includes(how))
        throw invalid('restoreRkeConfig', 'must be empty, kubernetesVersion or all', 'InvalidOption');
      const before = JSON.parse(backup.status?.clusterObject ?? '{}') as Record<string, unknown>;
      const version = backup.status?.kubernetesVersion;
      requireReadable(cluster, how === '' ? undefined : version, version);
      await ask(request, cluster, {
        ...(how === 'all' ? before : {}),
        // A config that named none had the one that ran then.
        ...(how !== '' && version ? { kubernetesVersion: version } : {}),
        restore: { restore: true, snapshotName: backup.spec.filename },
      });
      return undefined;
    },
  },
};

/** Throws Invalid where the version that the cluster will have reads no snapshot of that one. */
function requireReadable({ spec, status }: Cluster, chosen: string | undefined, madeUnder: string | undefined): void {
  const own = spec?.rancherKubernetesEngineConfig?.['kubernetesVersion'] || status?.version?.gitVersion;
  const wanted = chosen ?? own;
  if (typeof wanted !== 'string' || madeUnder === undefined) return;
  try {
    checkRestoredVersion(wanted, madeUnder);
  } catch (error) {
    throw invalid('restoreRkeConfig', `must be kubernetesVersion or all: ${messageOf(error)}`, 'InvalidOption');
  }
}

/** Throws Invalid while something else that was asked for is not done yet. */
async function ask(request: ApiRequest, cluster: Cluster, wanted: Readonly<Record<string, unknown>>): Promise<void> {
  await request.deps.resources.modify('cluster', { name: cluster.metadata.name }, seen => {
    const config = seen.spec?.rancherKubernetesEngineConfig ?? {};
    const other = ['restore', 'rotateCertificates', 'rotateEncryptionKey'].find(name => config[name]);
    if (other) throw invalid('action', `${other} was asked for and is not done yet`, 'InvalidAction');
    return { ...seen, spec: { ...seen.spec, rancherKubernetesEngineConfig: { ...config, ...wanted } } };
  });
}

/** Asks for a snapshot; its owner makes it. */
export async function makeBackup({ deps, caller }: ApiRequest, cluster: Cluster): Promise<void> {
  const clusterId = cluster.metadata.name;
  await deps.resources.create('etcdBackup', {
    metadata: { namespace: clusterId, finalizers: asked.finalizers, ...createdBy(caller.userId, {}) },
    spec: { clusterName: clusterId, filename: backupName(cluster, new Date()), manual: true },
    status: { conditions: asked.conditions },
  } as never);
}

/** `c-abcde-ml-x7k2p_2026-01-31T12-00-00Z`: manual, local; `ms` where it goes to S3, too. */
export function backupName({ metadata, spec }: Cluster, now: Date): string {
  const place = sendsToS3(spec?.rancherKubernetesEngineConfig) ? 'ms' : 'ml';
  const time = now.toISOString().slice(0, 19).replaceAll(':', '-');
  return `${generateName(`${metadata.name}-${place}-`)}_${time}Z`;
}

function sendsToS3(config: unknown): boolean {
  const within = ['services', 'etcd', 'backupConfig', 's3BackupConfig'].reduce<unknown>(
    (value, key) => (value as Readonly<Record<string, unknown>> | null | undefined)?.[key],
    config,
  );
  return typeof within === 'object' && within !== null;
}
