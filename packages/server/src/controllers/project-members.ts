/**
 * project-members: keeps a cluster's own RBAC in step with the grants in its projects. Runs where the cluster is owned, while
 * it is connected; a namespace that moves, a grant that comes or goes is there within moments. A cluster without grants costs
 * one look.
 */
import type { User } from '@drover/api';
import { type Log, type Resource, sleep } from '@drover/base';
import { clusterRoleBindings, clusterRoles, KubeClient, namespaces, roleBindings, WatchCache } from '@drover/kube';
import type { Compare } from '@drover/store';
import { bindingsOfPrincipal } from '../auth/grants.ts';
import type { Removals } from '../auth/removals.ts';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Caches } from '../resources/index.ts';
import { projectKey } from './cluster-projects.ts';
import { givenInProjects, projectBindingsIn, templatesInCluster } from './grants-in-cluster.ts';
import { applyWhole, doAll, putAll, readMarked, removeRest } from './marked-objects.ts';
import { type ClusterRole, type ClusterRoleBinding, withoutRoles } from './member-plan.ts';
import { maybeOurProjectGrants, projectPart } from './ours.ts';
import { type ProjectMemberPlan, planProjectMembers, type RoleBinding } from './project-member-plan.ts';
import { whenGone } from './removal-check.ts';
import { runRounds } from './rounds.ts';

/** Changes within this are written together. */
const gatherMs = 200;

export interface ProjectMembersDeps {
  readonly upstreams: Upstreams;
  readonly caches: Caches;
  readonly setting: (name: string) => string;
  readonly removals: Removals;
  /** What a write about the cluster compares, so that it is made by who does its work now. */
  readonly claim: (clusterId: string) => readonly Compare[];
  readonly log: Log;
  /** An edit by hand in the cluster is put right at the latest after this. */
  readonly repairEveryMs?: number;
}

/** Runs until the signal aborts. */
export function runProjectMembers(deps: ProjectMembersDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'grants in projects can not be kept in step';
  return runRounds({ ...deps, clusterId, signal, failure, round: round => follow(deps, clusterId, round) });
}

/** One round over one connection. */
async function follow(deps: ProjectMembersDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const { caches, setting, removals, repairEveryMs = 60_000 } = deps;
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const bell = ring(deps, clusterId, signal);
  const projects = new Map<string, string | undefined>();
  let places: WatchCache<Resource> | undefined;
  let failed: Promise<never> = new Promise(() => undefined);
  let applied: { readonly plan: string; readonly atMs: number } | undefined;
  while (!signal.aborted) {
    const changed = bell.next();
    if (!places && projectBindingsIn(caches, clusterId).length > 0) {
      const watched = new WatchCache<Resource>(client, namespaces, { transform: slim });
      watched.subscribe(bell.ring);
      failed = watched.run(signal).then(() => {
        throw new Error('the watch of namespaces ended');
      });
      failed.catch(() => undefined);
      await Promise.race([watched.synced(signal), failed]);
      places = watched;
    }
    await noteMoves(deps, clusterId, { places: places?.list() ?? [], projects });
    const notes = removals.ready(clusterId, 'projects');
    const namespacesOf = (projectId: string) => namesIn(places?.list() ?? [], projectId);
    const installUuid = setting('install-uuid');
    const plan = planProjectMembers({
      installUuid,
      given: givenInProjects(caches, clusterId),
      template: name => caches.roleTemplate.get(name),
      namespacesOf,
    });
    const text = JSON.stringify(plan);
    const due = !applied || applied.plan !== text || (places && performance.now() - applied.atMs > repairEveryMs);
    if (due || notes.length > 0) {
      const inCluster = templatesInCluster(caches, clusterId);
      const failure = await applyWhole(onLeft =>
        applyProjectMembers(client, plan, { installUuid, signal, inCluster, onLeft }),
      );
      if (!failure?.isPartly) {
        await whenGone(client, { caches, notes, signal, namespaceOf: projectId => namespacesOf(projectId)[0] });
        await removals.confirm(clusterId, { part: 'projects', notes, compares: deps.claim(clusterId) });
      }
      if (failure) throw failure.error;
      applied = { plan: text, atMs: performance.now() };
    }
    const repair = places ? sleep(repairEveryMs, signal) : new Promise<void>(() => undefined);
    await Promise.race([changed, failed, repair, whenAborted(signal)]);
    await sleep(gatherMs, signal);
  }
}

/** A namespace that has left a project is one that its members may still have until what follows is done. */
async function noteMoves(
  { removals }: ProjectMembersDeps,
  clusterId: string,
  { places, projects }: { readonly places: readonly Resource[]; readonly projects: Map<string, string | undefined> },
): Promise<void> {
  for (const { metadata } of places) {
    const { name: namespace } = metadata;
    const [from, to] = [projects.get(namespace), metadata.annotations?.[projectKey]];
    projects.set(namespace, to);
    if (from !== undefined && from !== to)
      await removals.noteMoved(clusterId, from, { namespace, ...(to ? { to } : {}) });
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
function ring({ caches, removals }: ProjectMembersDeps, clusterId: string, signal: AbortSignal) {
  let pending = false;
  let wake: (() => void) | undefined;
  const rung = () => {
    pending = true;
    wake?.();
  };
  const bound = (user: User | undefined) =>
    user?.principalIds?.some(id =>
      bindingsOfPrincipal(caches, id).some(({ type }) => type === 'projectRoleTemplateBinding'),
    );
  caches.projectRoleTemplateBinding.subscribe(({ before, after }) => {
    if ([before, after].some(one => one?.projectName?.startsWith(`${clusterId}:`))) rung();
  }, signal);
  caches.roleTemplate.subscribe(rung, signal);
  caches.project.subscribe(rung, signal, { namespace: clusterId });
  // Whoever is named by a principal is known to the cluster by his user.
  caches.user.subscribe(({ before, after }) => {
    if (bound(before) || bound(after)) rung();
  }, signal);
  removals.onChange(clusterIds => {
    if (clusterIds.includes(clusterId) && removals.ready(clusterId, 'projects').length > 0) rung();
  }, signal);
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
  /** Told when something that is there could not be changed or removed. */
  readonly onLeft?: () => void;
}

/** Makes the cluster hold exactly the plan, as applyMembers does for grants in the cluster itself. */
export async function applyProjectMembers(
  client: KubeClient,
  plan: ProjectMemberPlan,
  { installUuid, signal, inCluster = new Set(), onLeft }: ApplyProjectMembersOptions,
): Promise<void> {
  const marked = { labelSelector: maybeOurProjectGrants, installUuid, signal, onLeft };
  const inTheWay = new Set<string>();
  const onForeign = ({ metadata }: Resource) => inTheWay.add(metadata.name);
  const seenRoles = await readMarked<ClusterRole>(client, clusterRoles, marked);
  const roles = { wanted: plan.roles, seen: seenRoles, installUuid, onForeign, onLeft };
  const wide = await readMarked<ClusterRoleBinding>(client, clusterRoleBindings, marked);
  const narrow = await readMarked<RoleBinding>(client, roleBindings, marked);
  const clusterWide = () => ({
    wanted: withoutRoles(plan.clusterBindings, inTheWay),
    seen: wide,
    installUuid,
    adopts: true,
    onLeft,
  });
  const inNamespaces = () => ({
    wanted: withoutRoles(plan.bindings, inTheWay),
    seen: narrow,
    installUuid,
    adopts: true,
    onLeft,
  });
  const heir = ({ metadata }: ClusterRole) => (inCluster.has(metadata.name) ? noProjectPart : undefined);
  await doAll([
    () => putAll(client, clusterRoles, roles),
    () => putAll(client, clusterRoleBindings, clusterWide()),
    () => putAll(client, roleBindings, inNamespaces()),
    () => removeRest(client, roleBindings, inNamespaces()),
    () => removeRest(client, clusterRoleBindings, clusterWide()),
    () => removeRest(client, clusterRoles, { ...roles, heir }),
  ]);
}

/** A null takes a label away (RFC 7396). */
const noProjectPart = Object.fromEntries(Object.keys(projectPart).map(key => [key, null]));
