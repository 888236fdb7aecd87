/**
 * cluster-members: keeps a cluster's own RBAC in step with the bindings on the server, so that whoever the proxy
 * impersonates has there what he was granted here, and no more.
 */
import { isTrue, type Resource } from '@drover/base';
import { clusterRoleBindings, clusterRoles, type KubeClient } from '@drover/kube';
import { isEverything, type PolicyRule } from '../auth/rules.ts';
import type { ClusterClients } from '../clusters/clients.ts';
import { type Caches, type Controller, type ControllerContext, controller } from '../resources/index.ts';
import { bindingsIn, templatesInProjects } from './grants-in-cluster.ts';
import { doAll, putAll, readMarked, removeRest } from './marked-objects.ts';
import {
  type ClusterRole,
  type ClusterRoleBinding,
  type Grants,
  type MemberPlan,
  planMembers,
  type Subject,
  subjectOf,
} from './member-plan.ts';
import { maybeOurGrants, projectPart } from './ours.ts';

/** An edit by hand in the cluster is put right at the latest after this. */
const repairEveryMs = 60_000;

export interface ClusterMembersDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly setting: (name: string) => string;
}

export function clusterMembers({ clients, setting }: ClusterMembersDeps): Controller<'cluster'> {
  const applied = new Map<string, { readonly plan: string; readonly over: KubeClient; readonly atMs: number }>();
  return controller({
    name: 'cluster-members',
    for: 'cluster',
    workers: 32,
    watches: {
      clusterRoleTemplateBinding: binding => [binding.clusterName ?? ''],
      // Of the global ones only those of an admin are in the clusters.
      globalRoleBinding: (binding, { caches }) =>
        isAdminRole(caches, binding.globalRoleName) ? idsOf(caches.cluster.all()) : [],
      globalRole: (role, { caches }) =>
        isEverything((role.rules ?? []) as PolicyRule[]) ? idsOf(caches.cluster.all()) : [],
      roleTemplate: (_, { caches }) => withMembers(caches),
    },
    async reconcile(cluster, { caches, signal }) {
      const id = cluster.metadata.name;
      if (!isTrue(cluster.status?.conditions, 'Connected')) {
        applied.delete(id);
        return undefined;
      }
      const client = clients.get(id);
      const plan = planMembers({ ...grantsOf(caches, id), installUuid: setting('install-uuid') });
      const text = JSON.stringify(plan);
      const last = applied.get(id);
      const dueMs = last ? last.atMs + repairEveryMs - performance.now() : 0;
      // A cluster's status changes far more often than its members.
      if (last?.plan === text && last.over === client && dueMs > 0) return { after: dueMs };
      await applyMembers(client, plan, { signal, inProjects: templatesInProjects(caches, id) });
      applied.set(id, { plan: text, over: client, atMs: performance.now() });
      return { after: repairEveryMs * (0.9 + Math.random() * 0.2) };
    },
  });
}

const idsOf = (clusters: Iterable<{ readonly metadata: { readonly name: string } }>): string[] =>
  Array.from(clusters, cluster => cluster.metadata.name);

const isAdminRole = (caches: ControllerContext['caches'], name: string | undefined): boolean =>
  isEverything((caches.globalRole.get(name ?? '')?.rules ?? []) as PolicyRule[]);

/** The clusters that have bindings at all: a template means nothing to the others. */
const withMembers = (caches: Caches): string[] => [
  ...new Set(Array.from(caches.clusterRoleTemplateBinding.all(), binding => binding.clusterName ?? '')),
];

function grantsOf(caches: Caches, clusterId: string): Omit<Grants, 'installUuid'> {
  const admins = new Map<string, Subject>();
  for (const binding of caches.globalRoleBinding.all()) {
    const subject = subjectOf(binding);
    const role = caches.globalRole.get(binding.globalRoleName ?? '');
    if (subject && role && isEverything((role.rules ?? []) as PolicyRule[]))
      admins.set(`${subject.kind}/${subject.name}`, subject);
  }
  return {
    bindings: bindingsIn(caches, clusterId),
    admins: [...admins.values()],
    template: name => caches.roleTemplate.get(name),
  };
}

export interface ApplyMembersOptions {
  readonly signal: AbortSignal;
  /** Roles by name that grants in projects of the cluster need, too. */
  readonly inProjects?: ReadonlySet<string>;
}

/**
 * Makes the cluster hold exactly the plan among what is marked as this install's, or as nobody's. Roles come first, and what is no
 * longer granted goes last, whatever of the rest the cluster did not take. A role that grants in projects still need is theirs then.
 */
export async function applyMembers(
  client: KubeClient,
  plan: MemberPlan,
  { signal, inProjects = new Set() }: ApplyMembersOptions,
): Promise<void> {
  const { installUuid } = plan;
  const marked = { labelSelector: maybeOurGrants, installUuid, signal };
  const roles = { wanted: plan.roles, seen: await readMarked<ClusterRole>(client, clusterRoles, marked), installUuid };
  const seen = await readMarked<ClusterRoleBinding>(client, clusterRoleBindings, marked);
  const bindings = { wanted: plan.bindings, seen, installUuid };
  const heir = ({ metadata }: ClusterRole) => (inProjects.has(metadata.name) ? projectPart : undefined);
  await doAll([
    () => putAll(client, clusterRoles, roles),
    () => putAll(client, clusterRoleBindings, bindings),
    () => removeRest(client, clusterRoleBindings, { ...bindings, when: isMemberBinding }),
    () => removeRest(client, clusterRoles, { ...roles, heir }),
  ]);
}

/** The bindings that the import manifest made are marked as ours too, but are not grants. */
const isMemberBinding = (binding: Resource) => /^(crb|globaladmin)-/.test(binding.metadata.name);
