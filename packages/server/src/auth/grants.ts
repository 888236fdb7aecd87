/**
 * Grants: all that one caller has been given, gathered from the bindings that name him, his principals or his groups. Made
 * once per caller and kept until a role or binding changes; only the caller's own bindings are looked at.
 */
import type { Project, ProjectRoleTemplateBinding, RoleTemplate, TypedResource } from '@drover/api';
import type { Resource } from '@drover/base';
import type { Caches } from '../resources/index.ts';
import { isEverything, type PolicyRule } from './rules.ts';

/** What holds in one cluster or project. */
export interface ScopeGrants {
  readonly rules: PolicyRule[];
  /** Ids of the role templates bound, with all that they inherit. */
  readonly templates: Set<string>;
  owner: boolean;
}

export interface Grants {
  readonly admin: boolean;
  readonly rules: readonly PolicyRule[];
  /** Rules of global roles that hold in one namespace of the server. */
  readonly namespaced: ReadonlyMap<string, readonly PolicyRule[]>;
  readonly clusters: ReadonlyMap<string, ScopeGrants>;
  /** By project id, `cluster:project`. */
  readonly projects: ReadonlyMap<string, ScopeGrants>;
  /** What global roles give in every cluster but `local`, where they do. */
  readonly everyCluster: ScopeGrants | undefined;
}

/** What is given in the whole of a cluster: by bindings in it, and by global roles in every one but `local`. */
export function scopesIn(grants: Grants, clusterId: string): ScopeGrants[] {
  const general = clusterId === 'local' ? undefined : grants.everyCluster;
  return [grants.clusters.get(clusterId), general].filter(scope => scope !== undefined);
}

/** The same, where what is given in every cluster is nothing in one that there is not. */
export function scopesInKnown(caches: Caches, grants: Grants, clusterId: string): ScopeGrants[] {
  if (caches.cluster.get(clusterId)) return scopesIn(grants, clusterId);
  const own = grants.clusters.get(clusterId);
  return own ? [own] : [];
}

/** Whom bindings may name to mean this caller. */
export interface Subjects {
  readonly userId: string;
  readonly groups: readonly string[];
  readonly principalIds: readonly string[];
}

const subjectIndex = 'auth-subject';
const deepest = 32;

export interface SubjectFields {
  readonly userName?: string;
  readonly userPrincipalName?: string;
  readonly groupName?: string;
  readonly groupPrincipalName?: string;
}

/** Declares the indexes that gatherGrants reads; once, before the first. */
export function indexBindings(caches: Caches): void {
  const by = (binding: SubjectFields) => [subjectKeyOf(binding)];
  caches.globalRoleBinding.index(subjectIndex, by);
  caches.clusterRoleTemplateBinding.index(subjectIndex, by);
  caches.projectRoleTemplateBinding.index(subjectIndex, by);
}

/**
 * Whom a binding is for, here and in every cluster: one, whatever else it names. Prefixed, so that a group can't be taken for a user of
 * the same name.
 */
export function subjectKeyOf(binding: SubjectFields): string | undefined {
  if (binding.userName) return `user ${binding.userName}`;
  if (binding.userPrincipalName) return `principal ${binding.userPrincipalName}`;
  const group = binding.groupPrincipalName || binding.groupName;
  return group ? `group ${group}` : undefined;
}

export const bindingTypes = ['globalRoleBinding', 'clusterRoleTemplateBinding', 'projectRoleTemplateBinding'] as const;

/** Every binding that names the user himself or one of his principals. */
export function bindingsOfUser(
  caches: Caches,
  userId: string,
  principalIds: readonly string[],
): [id: (typeof bindingTypes)[number], binding: Resource][] {
  const keys = [`user ${userId}`, ...principalIds.map(id => `principal ${id}`)];
  return bindingTypes.flatMap(id =>
    keys.flatMap(key => caches[id].by(subjectIndex, key).map((binding): [typeof id, Resource] => [id, binding])),
  );
}

/** One binding, with what kind of one it is. */
export type Bound = {
  readonly [Id in (typeof bindingTypes)[number]]: { readonly type: Id; readonly binding: TypedResource<Id> };
}[(typeof bindingTypes)[number]];

/** As bindings name the caller: himself, his principals, his groups. */
export function keysOfSubjects({ userId, principalIds, groups }: Subjects): string[] {
  return [`user ${userId}`, ...principalIds.map(id => `principal ${id}`), ...groups.map(group => `group ${group}`)];
}

/** Every binding that is for whoever has this principal. */
export const bindingsOfPrincipal = (caches: Caches, principalId: string): Bound[] =>
  bindingsBy(caches, [`principal ${principalId}`]);

/** Every binding that means this caller, by his name, a principal or a group of his. */
export function bindingsOf(caches: Caches, subjects: Subjects): Bound[] {
  return bindingsBy(caches, keysOfSubjects(subjects));
}

function bindingsBy(caches: Caches, keys: readonly string[]): Bound[] {
  return bindingTypes.flatMap(type =>
    keys.flatMap(key => caches[type].by(subjectIndex, key).map(binding => ({ type, binding }) as Bound)),
  );
}

export function gatherGrants(caches: Caches, subjects: Subjects): Grants {
  return grantsFrom(caches, bindingsOf(caches, subjects));
}

/** What these bindings give together, whomever they name. */
export function grantsFrom(caches: Caches, bindings: readonly Bound[]): Grants {
  const rules: PolicyRule[] = [];
  const namespaced = new Map<string, PolicyRule[]>();
  const clusters = new Map<string, ScopeGrants>();
  const projects = new Map<string, ScopeGrants>();
  const inherited: string[] = [];
  for (const { type, binding } of bindings) {
    if (binding.metadata.deletionTimestamp) continue;
    if (type === 'globalRoleBinding') {
      const role = caches.globalRole.get(binding.globalRoleName ?? '');
      if (!role || role.metadata.deletionTimestamp) continue;
      rules.push(...(role.rules ?? []));
      inherited.push(...(role.inheritedClusterRoles ?? []));
      for (const [namespace, own] of Object.entries(role.namespacedRules ?? {}))
        namespaced.set(namespace, [...(namespaced.get(namespace) ?? []), ...own]);
    } else if (type === 'clusterRoleTemplateBinding') {
      // A binding counts only where it lies: whoever may write in one namespace must not reach another cluster.
      const { clusterName } = binding;
      if (!clusterName || clusterName !== binding.metadata.namespace) continue;
      if (!isRoleThere(caches, binding.roleTemplateName)) continue;
      addTemplate(caches, scopeOf(clusters, clusterName), binding.roleTemplateName);
    } else {
      const { projectName } = binding;
      if (!projectName || !liesInItsProject(caches, binding)) continue;
      if (!isRoleThere(caches, binding.roleTemplateName)) continue;
      addTemplate(caches, scopeOf(projects, projectName), binding.roleTemplateName);
    }
  }
  let everyCluster: ScopeGrants | undefined;
  for (const template of inherited)
    if (isRoleThere(caches, template)) addTemplate(caches, (everyCluster ??= emptyScope()), template);
  return { admin: isEverything(rules), rules, namespaced, clusters, projects, everyCluster };
}

/** A binding of a role that is gone, or on its way out, gives nothing, membership neither. */
export function isRoleThere(caches: Caches, name: string | undefined): boolean {
  const template = caches.roleTemplate.get(name ?? '');
  return template !== undefined && !template.metadata.deletionTimestamp;
}

/** Whether a project's binding lies where those of its project do; one elsewhere counts for nothing. */
export function liesInItsProject(caches: Caches, binding: ProjectRoleTemplateBinding): boolean {
  const [clusterId, name, more] = binding.projectName?.split(':') ?? [];
  if (!clusterId || !name || more !== undefined) return false;
  const { namespace } = binding.metadata;
  const project = caches.project.get(name, clusterId);
  return project !== undefined && (namespace === name || namespace === backingNamespaceOf(project));
}

/** Where a project's bindings lie: the namespace that it was given, or `cluster-project`. */
export function backingNamespaceOf({ metadata, status }: Project): string {
  return status?.backingNamespace || `${metadata.namespace}-${metadata.name}`;
}

function emptyScope(): ScopeGrants {
  return { rules: [], templates: new Set(), owner: false };
}

function scopeOf(scopes: Map<string, ScopeGrants>, id: string): ScopeGrants {
  let scope = scopes.get(id);
  if (!scope) scopes.set(id, (scope = emptyScope()));
  return scope;
}

function addTemplate(caches: Caches, scope: ScopeGrants, id: string | undefined): void {
  for (const template of templatesOf(caches, id)) {
    scope.templates.add(template.metadata.name);
    scope.rules.push(...(template.rules ?? []), ...(template.externalRules ?? []));
    scope.owner ||= isOwnerTemplate(template);
  }
}

/** The role template and all that it inherits, each once; a circle or a missing one ends its branch. */
export function templatesOf(
  caches: { readonly roleTemplate: { get(name: string): RoleTemplate | undefined } },
  id: string | undefined,
): RoleTemplate[] {
  const found = new Map<string, RoleTemplate>();
  const visit = (name: string, depth: number) => {
    const template = caches.roleTemplate.get(name);
    if (!template || found.has(name) || depth > deepest) return;
    found.set(name, template);
    for (const next of template.roleTemplateNames ?? []) visit(next, depth + 1);
  };
  if (id) visit(id, 0);
  return [...found.values()];
}

/** Owners are known by the builtin template or by the verb `own`. */
export function isOwnerTemplate(
  template: Pick<RoleTemplate, 'builtin' | 'rules'> & { readonly metadata: { readonly name: string } },
): boolean {
  const { name } = template.metadata;
  if (template.builtin && (name === 'cluster-owner' || name === 'project-owner')) return true;
  return (template.rules ?? []).some(
    rule =>
      rule.verbs?.includes('own') &&
      rule.apiGroups?.includes('management.cattle.io') &&
      rule.resources?.some(resource => resource === 'clusters' || resource === 'projects'),
  );
}
