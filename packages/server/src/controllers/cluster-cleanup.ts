/**
 * cluster-cleanup: deleting a cluster first takes out of it what we installed, through the agent that is still there,
 * and then everything that the server kept about it. A cluster that stays away is not waited for forever.
 */
import type { Cluster, TypedResource, TypeId } from '@drover/api';
import { ignoreNotFound, isTrue, isUnavailable, type Log, messageOf, type Resource, setCondition } from '@drover/base';
import {
  admissionPolicies,
  admissionPolicyBindings,
  clusterRoleBindings,
  clusterRoles,
  customResourceDefinitions,
  daemonSets,
  KubeClient,
  limitRanges,
  namespaces,
  networkPolicies,
  type ResourceRef,
  resourceQuotas,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
} from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import { engineFinalizer, isOnHosts } from '../provisioning/cluster-status.ts';
import { type Caches, type Controller, controller, namespaceIndex, type Resources } from '../resources/index.ts';
import { projectKey } from './cluster-projects.ts';
import { readMarked } from './marked-objects.ts';
import {
  agentPart,
  controllersBinding,
  isOurs,
  maybeOurEndpoint,
  maybeOurIsolation,
  maybeOurSecrets,
  maybeOurs,
} from './ours.ts';
import { planPodSecurity, podSecurityKey } from './pod-security-plan.ts';

/** How long a cluster that is away is waited for before it is forgotten with what is in it. */
export const patienceMs = 15 * 60_000;
/** Set to `true` on a cluster, it is forgotten at once, whatever is left in it. */
export const forceAnnotation = 'drover.io/forget';
const agentNamespace = 'cattle-system';

export interface ClusterCleanupDeps {
  readonly upstreams: Upstreams;
  readonly setting: (name: string) => string;
  /** Whether others still write into the cluster: none begins to once it is being deleted. */
  readonly isBusy: (clusterId: string) => boolean;
  readonly now?: () => number;
}

export function clusterCleanup({
  upstreams,
  setting,
  isBusy,
  now = Date.now,
}: ClusterCleanupDeps): Controller<'cluster'> {
  return controller({
    name: 'cluster-cleanup',
    for: 'cluster',
    async reconcile() {
      return undefined;
    },
    async finalize(cluster, { resources, caches, log, signal }) {
      // Its hosts are cleaned by what is kept here, and with them goes all that is in it.
      if (cluster.metadata.finalizers?.includes(engineFinalizer)) return { after: 1000 };
      if (isOnHosts(cluster)) return forget(cluster.metadata.name, resources, caches).then(() => undefined);
      if (isBusy(cluster.metadata.name) && !isGivenUp(cluster, now())) return { after: 100 };
      const left = await cleanInside(cluster, { upstreams, installUuid: setting('install-uuid'), signal, log });
      if (left !== undefined && !isGivenUp(cluster, now())) {
        await resources.modify('cluster', { name: cluster.metadata.name }, seen => waitingFor(seen, left));
        return { after: 10_000 };
      }
      await forget(cluster.metadata.name, resources, caches);
      return undefined;
    },
  });
}

function isGivenUp(cluster: Cluster, now: number): boolean {
  if (cluster.metadata.annotations?.[forceAnnotation] === 'true') return true;
  return now - Date.parse(cluster.metadata.deletionTimestamp ?? '') > patienceMs;
}

function waitingFor(cluster: Cluster, cause: string): Cluster {
  const message = `waiting to remove the agent from the cluster: ${cause}`;
  const conditions = setCondition(cluster.status?.conditions, {
    type: 'Removed',
    status: 'Unknown',
    reason: 'Cleanup',
    message,
  });
  return conditions === cluster.status?.conditions
    ? cluster
    : { ...cluster, status: { ...cluster.status, conditions } };
}

/** Answers undefined when nothing of ours is left inside, or why that can't be said. */
async function cleanInside(
  cluster: Cluster,
  { upstreams, installUuid, signal, log }: { upstreams: Upstreams; installUuid: string; signal: AbortSignal; log: Log },
): Promise<string | undefined> {
  // One that never connected has nothing of ours, or nothing that we could ever reach.
  if (!isTrue(cluster.status?.conditions, 'Provisioned')) return undefined;
  try {
    await using client = new KubeClient(upstreams.connection(cluster.metadata.name));
    await leaveProjects(client, cluster.metadata.name, signal);
    await removeOurs(client, installUuid, signal);
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    log.info({ cluster: cluster.metadata.name, reason: messageOf(error) }, 'cleanup inside the cluster has to wait');
    return isUnavailable(error) ? error.message : messageOf(error);
  }
}

/** Takes the cluster's namespaces out of projects that go with it. */
async function leaveProjects(client: KubeClient, clusterId: string, signal: AbortSignal): Promise<void> {
  for await (const namespace of client.listAll<Resource>(namespaces, { signal })) {
    await releasePodSecurity(client, namespace, signal);
    if (!namespace.metadata.annotations?.[projectKey]?.startsWith(`${clusterId}:`)) continue;
    const metadata = { annotations: { [projectKey]: null }, labels: { [projectKey]: null } };
    await ignoreNotFound(client.patch(namespaces, namespace.metadata.name, { metadata }, { type: 'merge', signal }));
  }
}

/** Takes a template's labels off. */
async function releasePodSecurity(client: KubeClient, namespace: Resource, signal: AbortSignal): Promise<void> {
  if (namespace.metadata.annotations?.[podSecurityKey] === undefined) return;
  for (const { name, labels } of planPodSecurity([namespace], undefined)) {
    const metadata = { labels, annotations: { [podSecurityKey]: null } };
    await ignoreNotFound(client.patch(namespaces, name, { metadata }, { type: 'merge', signal }));
  }
}

/**
 * Removes what this install put in, and leaves what others did. Our own rights are among what goes, so nothing could be
 * removed after them: what is left by then is made to belong to what goes last, and the cluster's garbage collector takes it
 * along.
 */
export async function removeOurs(client: KubeClient, installUuid: string, signal: AbortSignal): Promise<void> {
  const namespace = await ignoreNotFound(client.get<Resource>(namespaces, agentNamespace, { signal }));
  const all = await readOurs(client, installUuid, signal);
  if (namespace && isOurs(namespace, installUuid)) {
    if (namespace.metadata.deletionTimestamp) return;
    const owner = { apiVersion: 'v1', kind: 'Namespace', name: agentNamespace, uid: namespace.metadata.uid };
    for (const one of all) await own(client, one, { owner, signal });
    await client.delete(namespaces, agentNamespace, { propagationPolicy: 'Background', signal });
    return;
  }
  const isRights = ({ resource }: Ours) => isMarkedPart(resource);
  const last = all.find(({ resource }) => lastOf(installUuid).has(resource.metadata.name));
  for (const one of all) {
    if (!last || !isRights(one)) await remove(client, one, signal);
  }
  if (!last) return;
  const { apiVersion, kind, metadata } = last.resource;
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
  for (const one of all) if (isRights(one) && one !== last) await own(client, one, { owner, signal });
  await remove(client, last, signal);
}

interface Ours {
  readonly ref: ResourceRef;
  readonly resource: Resource;
}

/** What gives our controllers their rights, under the name of today and the one before. */
const lastOf = (installUuid: string) => new Set([controllersBinding(installUuid), controllersBinding('')]);

const isMarkedPart = ({ metadata }: Resource): boolean =>
  Object.entries(agentPart).every(([name, value]) => metadata.labels?.[name] === value);

async function readOurs(client: KubeClient, installUuid: string, signal: AbortSignal): Promise<Ours[]> {
  const all: Ours[] = [];
  const read = async (refs: readonly ResourceRef[], labelSelector: string) => {
    for (const ref of refs) {
      const listed = await readMarked(client, ref, { labelSelector, installUuid, signal });
      // Lists name neither kind nor version of what is in them.
      for (const one of listed.values())
        all.push({ ref, resource: { ...one, apiVersion: ref.apiVersion, kind: ref.kind! } });
    }
  };
  // Not served before Kubernetes 1.30.
  await ignoreNotFound(read([admissionPolicyBindings, admissionPolicies], maybeOurs));
  await read([roleBindings, clusterRoleBindings, clusterRoles, resourceQuotas, limitRanges], maybeOurs);
  await read([secrets], maybeOurSecrets);
  await read([networkPolicies], maybeOurIsolation);
  await read([daemonSets, roles, serviceAccounts, secrets, customResourceDefinitions], maybeOurEndpoint);
  return all;
}

async function own(
  client: KubeClient,
  { ref, resource }: Ours,
  { owner, signal }: { readonly owner: object; readonly signal: AbortSignal },
): Promise<void> {
  const patch = { metadata: { ownerReferences: [owner] } };
  const { name, namespace } = resource.metadata;
  await ignoreNotFound(client.patch(ref, name, patch, { type: 'merge', namespace, signal }));
}

async function remove(client: KubeClient, { ref, resource }: Ours, signal: AbortSignal): Promise<void> {
  const { name, namespace } = resource.metadata;
  await ignoreNotFound(client.delete(ref, name, { namespace, propagationPolicy: 'Background', signal }));
}

/** Everything on the server that is only about this cluster. What has a finalizer of its own is left to it. */
async function forget(clusterId: string, resources: Resources, caches: Caches): Promise<void> {
  const inNamespace: readonly TypeId[] = [
    'clusterRegistrationToken',
    'clusterRoleTemplateBinding',
    'etcdBackup',
    'node',
    'project',
    'secret',
  ];
  for (const id of inNamespace) await removeAll(resources, id, caches[id].by(namespaceIndex, clusterId));
  const bindings = [...caches.projectRoleTemplateBinding.all()];
  const ofItsProjects = bindings.filter(({ projectName }) => projectName?.startsWith(`${clusterId}:`));
  await removeAll(resources, 'projectRoleTemplateBinding', ofItsProjects);
  const policies = [...caches.projectNetworkPolicy.all()];
  const isolating = policies.filter(({ spec }) => spec?.projectName?.startsWith(`${clusterId}:`));
  await removeAll(resources, 'projectNetworkPolicy', isolating);
  const secretsOf = [...caches.projectSecret.all()].filter(one => one.projectName?.startsWith(`${clusterId}:`));
  await removeAll(resources, 'projectSecret', secretsOf);
  const tokens = [...caches.token.all()].filter(({ clusterName }) => clusterName === clusterId);
  await removeAll(resources, 'token', tokens);
}

async function removeAll(resources: Resources, id: TypeId, all: readonly TypedResource<TypeId>[]): Promise<void> {
  for (const { metadata } of all) {
    const { name, namespace, uid } = metadata;
    await ignoreNotFound(resources.delete(id, { name, namespace, uid }));
  }
}
