/**
 * The grants that count in one cluster, by where they lie, whom they are for there, and the roles that they need: the same that
 * `auth/grants.ts` counts, as the cluster will know it.
 */
import type { ClusterRoleTemplateBinding, GlobalRole, ProjectRoleTemplateBinding, User } from '@drover/api';
import {
  bindingsOfPrincipal,
  isRoleThere,
  liesInItsProject,
  type SubjectFields,
  subjectKeyOf,
  templatesOf,
} from '../auth/grants.ts';
import { isEverything } from '../auth/rules.ts';
import { findByPrincipal } from '../auth-providers/lasting-ids.ts';
import type { Caches } from '../resources/index.ts';
import type { Given, Subject } from './member-plan.ts';

const clusterIndex = 'grants-cluster';
const roleIndex = 'grants-role';

/** Lets the grants in one cluster be found without a look at all the others'; once, before the first is asked for. */
export function indexGrants(
  caches: Pick<Caches, 'clusterRoleTemplateBinding' | 'projectRoleTemplateBinding' | 'globalRoleBinding'>,
): void {
  caches.clusterRoleTemplateBinding.index(clusterIndex, ({ clusterName }) => [clusterName]);
  caches.projectRoleTemplateBinding.index(clusterIndex, ({ projectName }) => [projectName?.split(':')[0]]);
  caches.globalRoleBinding.index(roleIndex, ({ globalRoleName }) => [globalRoleName]);
}

/** A binding counts only where it lies: whoever may write in one namespace must not reach another cluster. */
export function bindingsIn(caches: Caches, clusterId: string): ClusterRoleTemplateBinding[] {
  return caches.clusterRoleTemplateBinding
    .by(clusterIndex, clusterId)
    .filter(({ clusterName, metadata }) => clusterName === clusterId && metadata.namespace === clusterId);
}

/** The same of its projects. */
export function projectBindingsIn(caches: Caches, clusterId: string): ProjectRoleTemplateBinding[] {
  return caches.projectRoleTemplateBinding
    .by(clusterIndex, clusterId)
    .filter(binding => liesInItsProject(caches, binding));
}

/** Whom a binding is for, as clusters know them: a user by his id, also where a principal of his is named; a group by its principal. */
export function subjectsIn(caches: Caches, binding: SubjectFields): Subject[] {
  const key = subjectKeyOf(binding);
  if (key === undefined) return [];
  const [kind, name] = [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)];
  if (kind !== 'principal') return [{ kind: kind === 'user' ? 'User' : 'Group', name }];
  const local = /^local:\/\/(.+)$/.exec(name)?.[1];
  // Whoever never came is nobody there yet.
  const user = local ?? findByPrincipal(caches, name)?.metadata.name;
  return user === undefined ? [] : [{ kind: 'User', name: user }];
}

type Binding = SubjectFields & {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly deletionTimestamp?: string };
  readonly roleTemplateName?: string;
};

function given(caches: Caches, { metadata, roleTemplateName, ...subject }: Binding): Given[] {
  if (metadata.deletionTimestamp || !roleTemplateName || !isRoleThere(caches, roleTemplateName)) return [];
  return [{ subjects: subjectsIn(caches, subject), roleTemplateName, owner: `${metadata.namespace}_${metadata.name}` }];
}

/** The roles given in the whole of the cluster, those of every cluster among them. */
export function givenIn(caches: Caches, clusterId: string): Given[] {
  const own = bindingsIn(caches, clusterId).flatMap(binding => given(caches, binding));
  // What holds in every cluster is about those that are managed from here, and not about where this server runs.
  return clusterId === 'local' ? own : [...own, ...givenEverywhere(caches)];
}

function givenEverywhere(caches: Caches): Given[] {
  return globalBindings(caches).flatMap(({ role, binding }) =>
    (role.inheritedClusterRoles ?? [])
      .filter(name => isRoleThere(caches, name))
      .map(roleTemplateName => ({
        subjects: subjectsIn(caches, binding),
        roleTemplateName,
        owner: binding.metadata.name,
      })),
  );
}

/** The roles given in its projects. */
export function givenInProjects(caches: Caches, clusterId: string): (Given & { readonly projectId: string })[] {
  return projectBindingsIn(caches, clusterId).flatMap(binding =>
    given(caches, binding).map(one => ({ ...one, projectId: binding.projectName! })),
  );
}

/** Those who may do everything on the server, and so in each cluster. */
export function adminsOf(caches: Caches): Subject[] {
  const admins = new Map<string, Subject>();
  for (const { role, binding } of globalBindings(caches))
    if (isEverything(role.rules ?? []))
      for (const subject of subjectsIn(caches, binding)) admins.set(`${subject.kind}/${subject.name}`, subject);
  return [...admins.values()];
}

/** What a global role gives in clusters; most give nothing there. */
export const reachesClusters = (role: GlobalRole): boolean =>
  isEverything(role.rules ?? []) || (role.inheritedClusterRoles ?? []).length > 0;

function globalBindings(caches: Caches) {
  return [...caches.globalRole.all()]
    .filter(role => reachesClusters(role) && !role.metadata.deletionTimestamp)
    .flatMap(role =>
      caches.globalRoleBinding
        .by(roleIndex, role.metadata.name)
        .filter(({ metadata }) => !metadata.deletionTimestamp)
        .map(binding => ({ role, binding })),
    );
}

/** The clusters in which a user is known by something that bindings name besides his id. */
export function clustersOfPrincipals(caches: Caches, user: User): string[] {
  const bound = (user.principalIds ?? []).flatMap(id => bindingsOfPrincipal(caches, id));
  const everywhere = bound.some(
    ({ type, binding }) =>
      type === 'globalRoleBinding' && reachesClusters(caches.globalRole.get(binding.globalRoleName ?? '') ?? noRole),
  );
  if (everywhere) return Array.from(caches.cluster.all(), ({ metadata }) => metadata.name);
  return bound.flatMap(({ type, binding }) =>
    type === 'clusterRoleTemplateBinding' ? (binding.clusterName ?? []) : [],
  );
}

const noRole = { metadata: { name: '' } } as GlobalRole;

/** Role templates, with all that they inherit, that somebody holds in the cluster. */
export const templatesInCluster = (caches: Caches, clusterId: string): ReadonlySet<string> =>
  templatesBy(caches, givenIn(caches, clusterId));

/** The same of its projects. */
export const templatesInProjects = (caches: Caches, clusterId: string): ReadonlySet<string> =>
  templatesBy(caches, givenInProjects(caches, clusterId));

function templatesBy(caches: Caches, all: readonly Given[]): ReadonlySet<string> {
  const held = new Set(all.map(({ roleTemplateName }) => roleTemplateName));
  return new Set([...held].flatMap(name => templatesOf(caches, name).map(({ metadata }) => metadata.name)));
}
