/**
 * cluster-members: keeps a cluster's own RBAC in step with the bindings on the server, so that whoever the proxy
 * impersonates has there what he was granted here, and no more.
 */
import { isTrue, type Resource } from '@drover/base';
import { clusterRoleBindings, clusterRoles, type KubeClient } from '@drover/kube';
import type { Compare } from '@drover/store';
import type { Removals } from '../auth/removals.ts';
import type { ClusterClients } from '../clusters/clients.ts';
import { type Caches, type Controller, controller } from '../resources/index.ts';
import { DoneInside } from './done-inside.ts';
import { adminsOf, clustersOfPrincipals, givenIn, reachesClusters, templatesInProjects } from './grants-in-cluster.ts';
import { applyWhole, doAll, putAll, readMarked, removeRest } from './marked-objects.ts';
import {
  type ClusterRole,
  type ClusterRoleBinding,
  type MemberPlan,
  planMembers,
  withoutRoles,
} from './member-plan.ts';
import { maybeOurGrants, projectPart } from './ours.ts';
import { whenGone } from './removal-check.ts';

export interface ClusterMembersDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly setting: (name: string) => string;
  readonly removals: Pick<Removals, 'ready' | 'confirm'>;
  /** What a write about the cluster compares, so that it is made by who does its work now. */
  readonly claim: (clusterId: string) => readonly Compare[];
  /** An edit by hand in the cluster is put right at the latest after this. */
  readonly repairEveryMs?: number;
}

export function clusterMembers({
  clients,
  setting,
  removals,
  claim,
  repairEveryMs = 60_000,
}: ClusterMembersDeps): Controller<'cluster'> {
  const done = new DoneInside();
  return controller({
    name: 'cluster-members',
    for: 'cluster',
    workers: 32,
    watches: {
      clusterRoleTemplateBinding: binding => [binding.clusterName ?? ''],
      globalRoleBinding: (binding, { caches }) => {
        const role = caches.globalRole.get(binding.globalRoleName ?? '');
        return role && reachesClusters(role) ? idsOf(caches) : [];
      },
      globalRole: (role, { caches }) => (reachesClusters(role) ? idsOf(caches) : []),
      roleTemplate: (_, { caches }) => withMembers(caches),
      user: (user, { caches }) => clustersOfPrincipals(caches, user),
    },
    async reconcile(cluster, { caches, signal }) {
      const id = cluster.metadata.name;
      if (!isTrue(cluster.status?.conditions, 'Connected')) {
        done.forget(id);
        return undefined;
      }
      const client = clients.get(id);
      const open = removals.ready(id, 'members');
      const plan = planMembers({
        installUuid: setting('install-uuid'),
        given: givenIn(caches, id),
        admins: adminsOf(caches),
        template: name => caches.roleTemplate.get(name),
      });
      const what = JSON.stringify(plan);
      const restMs = done.restMs(id, client, what);
      if (restMs > 0 && open.length === 0) return { after: restMs };
      const failure = await applyWhole(onLeft =>
        applyMembers(client, plan, { signal, inProjects: templatesInProjects(caches, id), onLeft }),
      );
      if (!failure?.isPartly) {
        await whenGone(client, { caches, notes: open, signal });
        await removals.confirm(id, { part: 'members', notes: open, compares: claim(id) });
      }
      if (failure) throw failure.error;
      done.note(id, { over: client, what, forMs: repairEveryMs });
      return { after: repairEveryMs * (0.9 + Math.random() * 0.2) };
    },
  });
}

const idsOf = (caches: Caches): string[] => Array.from(caches.cluster.all(), ({ metadata }) => metadata.name);

/** The clusters that have bindings at all: a template means nothing to the others. */
function withMembers(caches: Caches): string[] {
  if ([...caches.globalRole.all()].some(role => role.inheritedClusterRoles?.length)) return idsOf(caches);
  return [...new Set(Array.from(caches.clusterRoleTemplateBinding.all(), ({ clusterName = '' }) => clusterName))];
}

export interface ApplyMembersOptions {
  readonly signal: AbortSignal;
  /** Roles by name that grants in projects of the cluster need, too. */
  readonly inProjects?: ReadonlySet<string>;
  /** Told when something that is there could not be changed or removed. */
  readonly onLeft?: () => void;
}

/**
 * Makes the cluster hold exactly the plan among what is marked as this install's, or as nobody's. Roles come first, and what is no
 * longer granted goes last, whatever of the rest the cluster did not take. A role that grants in projects still need is theirs then.
 */
export async function applyMembers(
  client: KubeClient,
  plan: MemberPlan,
  { signal, inProjects = new Set(), onLeft }: ApplyMembersOptions,
): Promise<void> {
  const { installUuid } = plan;
  const marked = { labelSelector: maybeOurGrants, installUuid, signal, onLeft };
  const inTheWay = new Set<string>();
  const onForeign = ({ metadata }: Resource) => inTheWay.add(metadata.name);
  const seenRoles = await readMarked<ClusterRole>(client, clusterRoles, marked);
  const roles = { wanted: plan.roles, seen: seenRoles, installUuid, onForeign, onLeft };
  const seen = await readMarked<ClusterRoleBinding>(client, clusterRoleBindings, marked);
  // A role of that name which is somebody else's would give what it says, and not what is meant.
  const bindings = () => ({ wanted: withoutRoles(plan.bindings, inTheWay), seen, installUuid, adopts: true, onLeft });
  const heir = ({ metadata }: ClusterRole) => (inProjects.has(metadata.name) ? projectPart : undefined);
  await doAll([
    () => putAll(client, clusterRoles, roles),
    () => putAll(client, clusterRoleBindings, bindings()),
    () => removeRest(client, clusterRoleBindings, { ...bindings(), when: isMemberBinding }),
    () => removeRest(client, clusterRoles, { ...roles, heir }),
  ]);
}

/** The bindings that the import manifest made are marked as ours too, but are not grants. */
const isMemberBinding = (binding: Resource) => /^(crb|globaladmin)-/.test(binding.metadata.name);
