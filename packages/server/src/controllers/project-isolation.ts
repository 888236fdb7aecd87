/**
 * project-isolation: where a cluster has it switched on, keeps a NetworkPolicy in each namespace of each project, new ones within
 * moments, puts right what somebody changes, and takes all of it away when it is switched off. Whether the cluster's network heeds
 * policies is the cluster's own.
 */
import type { Cluster, Project } from '@drover/api';
import { ignoreExists, ignoreNotFound, isConflict, isNotFound, type Log, type Resource, sleep } from '@drover/base';
import { KubeClient, namespaces, networkPolicies, WatchCache } from '@drover/kube';
import { backingNamespaceOf } from '../auth/grants.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import { type Caches, namespaceIndex, type Resources } from '../resources/index.ts';
import { projectKey, systemProjectLabel } from './cluster-projects.ts';
import { isOurs, maybeOurIsolation } from './ours.ts';
import { isAsWanted, type NetworkPolicy, planIsolation } from './project-isolation-plan.ts';
import { runRounds } from './rounds.ts';

const gatherMs = 200;
const policyName = 'pnp-default';

export interface ProjectIsolationDeps {
  readonly upstreams: Upstreams;
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'cluster' | 'node' | 'project' | 'projectNetworkPolicy'>;
  readonly setting: (name: string) => string;
  readonly log: Log;
}

/** Runs until the signal aborts. */
export function runProjectIsolation(deps: ProjectIsolationDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'the isolation of projects can not be kept in step';
  return runRounds({ ...deps, clusterId, signal, failure, round: round => follow(deps, clusterId, round) });
}

const isWanted = (cluster: Cluster | undefined): boolean => cluster?.spec?.enableNetworkPolicy === true;
const isApplied = (cluster: Cluster | undefined): boolean => cluster?.status?.appliedEnableNetworkPolicy === true;

/** One round over one connection. */
async function follow(deps: ProjectIsolationDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    await whenOn(deps.caches, clusterId, signal);
    await keep(deps, clusterId, signal);
  }
}

/** Resolves once it is switched on, or there is something left to take away. */
async function whenOn(caches: ProjectIsolationDeps['caches'], clusterId: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = new AbortController();
  signal.throwIfAborted();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
  const look = (after: Cluster | undefined) => (isWanted(after) || isApplied(after)) && resolve();
  caches.cluster.subscribe(({ after }) => look(after), stop.signal, { key: clusterId });
  try {
    await promise;
  } finally {
    stop.abort();
  }
}

/** Follows the cluster until it is switched off and nothing is left. */
async function keep(deps: ProjectIsolationDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const { caches, upstreams, setting } = deps;
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  await using client = new KubeClient(upstreams.connection(clusterId));
  const places = new WatchCache<Resource>(client, namespaces, { transform: slim });
  const policies = new WatchCache<NetworkPolicy>(client, networkPolicies, { labelSelector: maybeOurIsolation });
  let wake: () => void = () => undefined;
  places.subscribe(() => wake());
  policies.subscribe(() => wake());
  for (const cache of [caches.project, caches.node]) cache.subscribe(() => wake(), ends, { namespace: clusterId });
  caches.cluster.subscribe(({ before, after }) => isWanted(before) !== isWanted(after) && wake(), ends, {
    key: clusterId,
  });
  const failed = Promise.race([places.run(ends), policies.run(ends)]).then(() => Promise.reject(ends.reason));
  failed.catch(() => undefined);
  try {
    await Promise.race([Promise.all([places.synced(ends), policies.synced(ends)]), failed]);
    for (;;) {
      const changed = new Promise<void>(resolve => {
        wake = resolve;
      });
      const on = isWanted(caches.cluster.get(clusterId));
      if (on) await note(deps, clusterId, true);
      const projects = caches.project.by(namespaceIndex, clusterId);
      const system = projects.find(({ metadata }) => metadata.labels?.[systemProjectLabel] === 'true');
      const isolated = on ? projects.filter(one => one !== system && !one.metadata.deletionTimestamp) : [];
      await settleProjects(deps, clusterId, isolated);
      const installUuid = setting('install-uuid');
      const wanted = on
        ? planIsolation({
            clusterId,
            installUuid,
            system: system?.metadata.name,
            namespaces: places.list(),
            nodes: caches.node.by(namespaceIndex, clusterId),
          })
        : [];
      const seen = policies.list().filter(one => isOurs(one, installUuid));
      await settle(client, wanted, { seen, signal: ends });
      if (!on) return await note(deps, clusterId, false);
      await Promise.race([changed, failed]);
      await sleep(gatherMs, ends);
    }
  } finally {
    stop.abort(new Error('projects are looked after no more'));
  }
}

function slim({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion, deletionTimestamp, annotations } = metadata;
  const project = annotations?.[projectKey];
  const kept = project === undefined ? {} : { annotations: { [projectKey]: project } };
  return { apiVersion, kind, metadata: { name, uid, resourceVersion, deletionTimestamp, ...kept } };
}

/** Says on the cluster what holds in it now. */
async function note({ resources, caches }: ProjectIsolationDeps, clusterId: string, applied: boolean): Promise<void> {
  if (isApplied(caches.cluster.get(clusterId)) === applied) return;
  await resources.modify('cluster', { name: clusterId }, seen => ({
    ...seen,
    status: { ...seen.status, appliedEnableNetworkPolicy: applied },
  }));
}

/** On the server one resource a project, by which clients see that it is isolated. */
async function settleProjects(
  { resources, caches }: ProjectIsolationDeps,
  clusterId: string,
  isolated: readonly Project[],
): Promise<void> {
  const idOf = ({ metadata }: Project) => `${clusterId}:${metadata.name}`;
  const wanted = new Map(isolated.map(project => [idOf(project), backingNamespaceOf(project)]));
  for (const { metadata, spec } of [...caches.projectNetworkPolicy.all()]) {
    const projectId = spec?.projectName ?? '';
    if (!projectId.startsWith(`${clusterId}:`)) continue;
    const { name, namespace, uid } = metadata;
    if (wanted.get(projectId) === namespace) wanted.delete(projectId);
    else await ignoreNotFound(resources.delete('projectNetworkPolicy', { name, namespace, uid }));
  }
  for (const [projectName, namespace] of wanted)
    await ignoreExists(
      resources.create('projectNetworkPolicy', {
        metadata: { name: policyName, namespace },
        spec: { projectName, description: 'Reached from its own project, the System project and the nodes' },
      }),
    );
}

async function settle(
  client: KubeClient,
  wanted: readonly NetworkPolicy[],
  { seen, signal }: { readonly seen: readonly NetworkPolicy[]; readonly signal: AbortSignal },
): Promise<void> {
  const placeOf = ({ metadata }: Resource) => `${metadata.namespace}/${metadata.name}`;
  const there = new Map(seen.map(one => [placeOf(one), one]));
  const how = { type: 'apply', fieldManager: 'drover', force: true, signal } as const;
  for (const one of wanted) {
    const before = there.get(placeOf(one));
    there.delete(placeOf(one));
    if (isAsWanted(before, one)) continue;
    const { name, namespace } = one.metadata;
    await client.patch(networkPolicies, name, one, { ...how, namespace }).catch(unlessGone);
  }
  for (const { metadata } of there.values()) {
    const { name, namespace, uid } = metadata;
    await ignoreNotFound(client.delete(networkPolicies, name, { namespace, preconditions: { uid }, signal }));
  }
}

const unlessGone = (error: unknown): void => {
  if (!isConflict(error) && !isNotFound(error)) throw error;
};
