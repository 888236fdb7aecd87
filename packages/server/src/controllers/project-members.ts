/**
 * project-members: keeps a cluster's own RBAC in step with the grants in its projects. Runs where the cluster is owned, while
 * it is connected; a namespace that moves, a grant that comes or goes is there within moments. A cluster without grants costs
 * one look.
 */
import { type Log, type Resource, sleep } from '@drover/base';
import { clusterRoleBindings, clusterRoles, KubeClient, namespaces, roleBindings, WatchCache } from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Caches } from '../resources/index.ts';
import { projectKey } from './cluster-projects.ts';
import { projectBindingsIn, templatesInCluster } from './grants-in-cluster.ts';
import { doAll, putAll, readMarked, removeRest } from './marked-objects.ts';
import type { ClusterRole, ClusterRoleBinding } from './member-plan.ts';
import { maybeOurProjectGrants, projectPart } from './ours.ts';
import { type ProjectMemberPlan, planProjectMembers, type RoleBinding } from './project-member-plan.ts';
import { runRounds } from './rounds.ts';

/** An edit by hand in the cluster is put right at the latest after this. */
const repairEveryMs = 60_000;
/** Changes within this are written together. */
const gatherMs = 200;

export interface ProjectMembersDeps {
  readonly upstreams: Upstreams;
  readonly caches: Caches;
  readonly setting: (name: string) => string;
  readonly log: Log;
}

/** Runs until the signal aborts. */
export function runProjectMembers(deps: ProjectMembersDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'grants in projects can not be kept in step';
  return runRounds({ ...deps, clusterId, signal, failure, round: round => follow(deps, clusterId, round) });
}

/** One round over one connection. */
async function follow(deps: ProjectMembersDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const { caches, setting } = deps;
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const bell = ring(caches, clusterId, signal);
  const grants = () => projectBindingsIn(caches, clusterId);
  let places: WatchCache<Resource> | undefined;
  let failed: Promise<never> = new Promise(() => undefined);
  let applied: { readonly plan: string; readonly atMs: number } | undefined;
  while (!signal.aborted) {
    const changed = bell.next();
    if (!places && grants().length > 0) {
      const watched = new WatchCache<Resource>(client, namespaces, { transform: slim });
      watched.subscribe(bell.ring);
      failed = watched.run(signal).then(() => {
        throw new Error('the watch of namespaces ended');
      });
      failed.catch(() => undefined);
      await Promise.race([watched.synced(signal), failed]);
      places = watched;
    }
    const plan = planProjectMembers({
      installUuid: setting('install-uuid'),
      bindings: grants(),
      template: name => caches.roleTemplate.get(name),
      namespacesOf: projectId => namesIn(places?.list() ?? [], projectId),
    });
    const text = JSON.stringify(plan);
    const due = !applied || applied.plan !== text || (places && performance.now() - applied.atMs > repairEveryMs);
    if (due) {
      const inCluster = templatesInCluster(caches, clusterId);
      await applyProjectMembers(client, plan, { installUuid: setting('install-uuid'), signal, inCluster });
      applied = { plan: text, atMs: performance.now() };
    }
    const repair = places ? sleep(repairEveryMs, signal) : new Promise<void>(() => undefined);
    await Promise.race([changed, failed, repair, whenAborted(signal)]);
    await sleep(gatherMs, signal);
  }
}

function slim({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion, deletionTimestamp, annotations } = metadata;
  const project = annotations?.[projectKey];
  const kept = project === undefined ? {} : { annotations: { [projectKey]: project } };
  return { apiVersion, kind, metadata: { name, uid, resourceVersion, deletionTimestamp, ...kept } };
}

const namesIn = (all: readonly Resource[], projectId: string): string[] =>
  all
    .filter(({ metadata }) => !metadata.deletionTimestamp && metadata.annotations?.[projectKey] === projectId)
    .map(({ metadata }) => metadata.name);

const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** Rung by whatever may change the plan; a ring that comes while nobody listens is kept for the next who does. */
function ring(caches: Caches, clusterId: string, signal: AbortSignal) {
  let pending = false;
  let wake: (() => void) | undefined;
  const rung = () => {
    pending = true;
    wake?.();
  };
  caches.projectRoleTemplateBinding.subscribe(({ before, after }) => {
    if ([before, after].some(one => one?.projectName?.startsWith(`${clusterId}:`))) rung();
  }, signal);
  caches.roleTemplate.subscribe(rung, signal);
  return {
    ring: rung,
    next: () =>
      new Promise<void>(resolve => {
        wake = () => {
          pending = false;
          resolve();
        };
        if (pending) wake();
      }),
  };
}

export interface ApplyProjectMembersOptions {
  readonly installUuid: string;
  readonly signal: AbortSignal;
  /** Roles by name that grants in the cluster itself need, too. */
  readonly inCluster?: ReadonlySet<string>;
}

/** Makes the cluster hold exactly the plan, as applyMembers does for grants in the cluster itself. */
export async function applyProjectMembers(
  client: KubeClient,
  plan: ProjectMemberPlan,
  { installUuid, signal, inCluster = new Set() }: ApplyProjectMembersOptions,
): Promise<void> {
  const marked = { labelSelector: maybeOurProjectGrants, installUuid, signal };
  const roles = { wanted: plan.roles, seen: await readMarked<ClusterRole>(client, clusterRoles, marked), installUuid };
  const wide = await readMarked<ClusterRoleBinding>(client, clusterRoleBindings, marked);
  const narrow = await readMarked<RoleBinding>(client, roleBindings, marked);
  const clusterWide = { wanted: plan.clusterBindings, seen: wide, installUuid };
  const inNamespaces = { wanted: plan.bindings, seen: narrow, installUuid };
  const heir = ({ metadata }: ClusterRole) => (inCluster.has(metadata.name) ? noProjectPart : undefined);
  await doAll([
    () => putAll(client, clusterRoles, roles),
    () => putAll(client, clusterRoleBindings, clusterWide),
    () => putAll(client, roleBindings, inNamespaces),
    () => removeRest(client, roleBindings, inNamespaces),
    () => removeRest(client, clusterRoleBindings, clusterWide),
    () => removeRest(client, clusterRoles, { ...roles, heir }),
  ]);
}

/** A null takes a label away (RFC 7396). */
const noProjectPart = Object.fromEntries(Object.keys(projectPart).map(key => [key, null]));
