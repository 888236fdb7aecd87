/**
 * No way up: nobody gives away, by role or binding, more than he holds himself, and nobody acts on a user who holds more
 * than he does. Asked in the write path of every type that carries rights; there is no other check behind it.
 */
import type { RoleTemplate, User, UserAttribute } from '@drover/api';
import { forbidden, invalid, notFound, type StatusError } from '@drover/base';
import type { Caller } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';
import { type Access, grantsReach } from './access.ts';
import { type Grants, isOwnerTemplate, type ScopeGrants, templatesOf } from './grants.ts';
import { everyCluster, heldIn, type Scope } from './held.ts';
import { firstMissing, type PolicyRule } from './rules.ts';

export interface EscalationDeps {
  readonly access: Access;
  readonly caches: Caches;
}

const group = 'management.cattle.io';

/** Throws Forbidden naming the first right that the caller would give but does not hold there himself. */
export function requireMayGrant(
  { access, caches }: EscalationDeps,
  caller: Caller,
  grant: { readonly rules: readonly PolicyRule[]; readonly scope?: Scope },
): void {
  const { rules, scope = {} } = grant;
  if (access.isAdmin(caller)) return;
  if (scope.clusterId !== undefined && access.ownsAll(caller, scope.clusterId)) return;
  if (caller.clusterId !== undefined && caller.clusterId !== scope.clusterId)
    throw forbidden(`this token is for cluster "${caller.clusterId}" only`);
  const missing = firstMissing(heldIn(caches, access.grantsOf(caller), scope).rules, rules);
  if (missing) throw notYours(missing, scope);
}

/**
 * Whether a binding of the role template in this cluster or project may be written by the caller. Throws Invalid for a
 * template that can't be bound there, Forbidden where the caller does not hold all of it.
 */
export function requireMayBindTemplate(
  deps: EscalationDeps,
  caller: Caller,
  binding: { readonly roleTemplateId: string; readonly clusterId: string; readonly projectId?: string },
): void {
  const { roleTemplateId, clusterId, projectId } = binding;
  const template = deps.caches.roleTemplate.get(roleTemplateId);
  if (!template) throw notFound('roleTemplate', roleTemplateId);
  if (template.locked) throw invalid('roleTemplateId', `role ${roleTemplateId} is locked`, 'InvalidState');
  const context = projectId === undefined ? 'cluster' : 'project';
  if (template.context && template.context !== context)
    throw invalid('roleTemplateId', `role ${roleTemplateId} is for a ${template.context}`, 'InvalidBodyContent');
  if (projectId !== undefined && projectId.split(':')[0] !== clusterId)
    throw invalid('projectId', `must be a project of cluster ${clusterId}`);
  if (deps.access.isAdmin(caller) || deps.access.ownsAll(caller, clusterId)) return;
  const all = templatesOf(deps.caches, roleTemplateId);
  requireHeldTemplates(deps, caller, { templates: all, clusterId, projectId });
  const rules = all.flatMap(each => [...(each.rules ?? []), ...(each.externalRules ?? [])]);
  requireMayGrant(deps, caller, { rules, scope: { clusterId, projectId } });
}

/** Names what is missing, where, and who may give it. */
function notYours(what: string, { clusterId, projectId }: Scope = {}): StatusError {
  const [where, who] =
    projectId !== undefined
      ? [` in project "${projectId}"`, 'an owner of its cluster']
      : clusterId !== undefined
        ? [` in cluster "${clusterId}"`, 'an owner of the cluster']
        : ['', 'an administrator'];
  return forbidden(`you can't grant what you don't have: ${what}${where}; it may be granted by ${who}`);
}

/** Whether the template's rules stand in its cluster, in a ClusterRole of its name, and not here. */
function hidesItsRules({ external, externalRules }: Pick<RoleTemplate, 'external' | 'externalRules'>): boolean {
  return external === true && !externalRules?.length;
}

/**
 * What no rule tells: an external template's rules may be known to its cluster only, and whoever gives it must hold the same template there;
 * and a template that makes owners is given by owners, whatever other rules would cover the verb `own`.
 */
function requireHeldTemplates(
  { access, caches }: EscalationDeps,
  caller: Caller,
  binding: { readonly templates: readonly RoleTemplate[]; readonly clusterId: string; readonly projectId?: string },
): void {
  const held = heldIn(caches, access.grantsOf(caller), binding);
  const unknown = binding.templates.find(one => hidesItsRules(one) && !held.templates.has(one.metadata.name));
  if (unknown) throw notYours(`role ${unknown.metadata.name}`, binding);
  const owning = binding.templates.find(isOwnerTemplate);
  if (owning && !held.owner) throw notYours(`role ${owning.metadata.name}, which makes an owner`, binding);
}

/** Whether the caller may bind the global role: he holds all of it, or the verb `bind` on it. */
export function requireMayBindGlobalRole(deps: EscalationDeps, caller: Caller, globalRoleId: string): void {
  const role = deps.caches.globalRole.get(globalRoleId);
  if (!role) throw notFound('globalRole', globalRoleId);
  if (deps.access.allows(caller, 'bind', { group, resource: 'globalroles', name: globalRoleId })) return;
  requireGlobalRules(deps, caller, role);
}

/** Whether the caller may make or change a global role so that it holds these rights. `escalate` on it overrides. */
export function requireMayWriteGlobalRole(
  deps: EscalationDeps,
  caller: Caller,
  role: GlobalRights & { readonly name?: string },
): void {
  if (deps.access.allows(caller, 'escalate', { group, resource: 'globalroles', name: role.name })) return;
  requireGlobalRules(deps, caller, role);
}

export interface GlobalRights {
  readonly rules?: readonly PolicyRule[];
  readonly namespacedRules?: Readonly<Record<string, readonly PolicyRule[]>>;
  readonly inheritedClusterRoles?: readonly string[];
}

function requireGlobalRules(deps: EscalationDeps, caller: Caller, role: GlobalRights): void {
  // What it holds in single namespaces is asked for on the whole server: stricter than needed, never laxer.
  const rules = [...(role.rules ?? []), ...Object.values(role.namespacedRules ?? {}).flat()];
  if (!deps.access.isAdmin(caller)) {
    const missing = firstMissing(deps.access.grantsOf(caller).rules, rules);
    if (missing) throw notYours(missing);
  }
  if (role.inheritedClusterRoles?.length && !deps.access.isAdmin(caller)) throw notYours('a role in every cluster');
}

/** Whether the caller may make or change a role template so that it holds these rules and inherits these. */
export function requireMayWriteTemplate(
  deps: EscalationDeps,
  caller: Caller,
  template: {
    readonly name?: string;
    readonly rules?: readonly PolicyRule[];
    readonly externalRules?: readonly PolicyRule[];
    readonly roleTemplateNames?: readonly string[];
    readonly external?: boolean;
  },
): void {
  const inherited = (template.roleTemplateNames ?? []).flatMap(id => templatesOf(deps.caches, id));
  if (template.name !== undefined && inherited.some(each => each.metadata.name === template.name))
    throw invalid('roleTemplateIds', 'a role can not inherit from itself', 'InvalidState');
  const escalates = deps.access.allows(caller, 'escalate', { group, resource: 'roletemplates', name: template.name });
  if (escalates || deps.access.isAdmin(caller)) return;
  if (template.externalRules?.length) throw forbidden('external rules need the right to escalate roletemplates');
  if (hidesItsRules(template)) throw forbidden('an external role needs the right to escalate roletemplates');
  if (inherited.some(hidesItsRules))
    throw forbidden('inheriting from an external role needs the right to escalate roletemplates');
  const own = { ...template, metadata: { name: template.name ?? '' } };
  if ([own, ...inherited].some(isOwnerTemplate))
    throw forbidden('a role that makes owners needs the right to escalate roletemplates');
  const rules = [template, ...inherited].flatMap(each => [...(each.rules ?? []), ...(each.externalRules ?? [])]);
  // It may be bound in any cluster, by now or later: what only holds on the server is not held there.
  requireMayGrant(deps, caller, { rules });
}

/** Throws Forbidden where the other user holds more than the caller: his password, his state and he himself are not the caller's. */
export function requireMayActOn(deps: EscalationDeps, caller: Caller, userId: string): void {
  const why = whyNotActOn(deps, caller, userId);
  if (why !== undefined) throw forbidden(why);
}

/** The same as what would be told; undefined where he may. */
export function whyNotActOn({ access, caches }: EscalationDeps, caller: Caller, userId: string): string | undefined {
  if (access.isAdmin(caller)) return undefined;
  const theirs = access.grantsOf(subjectsOfUser(caches, userId));
  if (theirs.admin) return 'only an admin may do that to an admin';
  if (access.allows(caller, 'manage-users', { group, resource: 'users', name: userId })) return undefined;
  const more = knownMoreThan(caches, access.grantsOf(caller), theirs);
  return more && `user ${userId} has rights that you don't have: ${more}; an administrator may do it`;
}

const compared = new WeakMap<Grants, WeakMap<Grants, string | undefined>>();

/** A list of users asks of each of them, time and again. Grants are made anew when anything changes that they are compared by. */
function knownMoreThan(caches: Caches, own: Grants, theirs: Grants): string | undefined {
  let of = compared.get(own);
  if (!of) compared.set(own, (of = new WeakMap()));
  if (!of.has(theirs)) of.set(theirs, moreThan(caches, own, theirs));
  return of.get(theirs);
}

/** The first right in `theirs` that `own` lacks where it holds: on the server, in a namespace of it, cluster or project. */
function moreThan(caches: Caches, own: Grants, theirs: Grants): string | undefined {
  const missing = firstMissing(own.rules, theirs.rules);
  if (missing) return missing;
  for (const [namespace, rules] of theirs.namespaced) {
    const more = firstMissing([...own.rules, ...(own.namespaced.get(namespace) ?? [])], rules);
    if (more) return `${more} in namespace ${namespace}`;
  }
  const scopes: [Scope, ScopeGrants][] = [
    ...(theirs.everyCluster ? [[{ clusterId: everyCluster }, theirs.everyCluster] as [Scope, ScopeGrants]] : []),
    ...[...theirs.clusters].map(([clusterId, part]): [Scope, ScopeGrants] => [{ clusterId }, part]),
    ...[...theirs.projects].map(([id, part]): [Scope, ScopeGrants] => [
      { clusterId: id.split(':')[0]!, projectId: id },
      part,
    ]),
  ];
  for (const [scope, part] of scopes) {
    const more = moreIn(caches, own, { scope, part });
    if (more)
      return `${more} in ${scope.projectId ?? (scope.clusterId === everyCluster ? 'every cluster' : scope.clusterId)}`;
  }
  return undefined;
}

/** An external role whose rules only its cluster knows is held by nobody but who has it too, or owns the cluster. */
function moreIn(
  caches: Caches,
  own: Grants,
  { scope, part }: { readonly scope: Scope; readonly part: ScopeGrants },
): string | undefined {
  const { clusterId = '' } = scope;
  if (clusterId !== everyCluster && !grantsReach(caches, own, clusterId)) return 'membership';
  if (heldIn(caches, own, { clusterId }).ownsAll) return undefined;
  const held = heldIn(caches, own, scope);
  if (part.owner && !held.owner) return 'ownership';
  const missing = firstMissing(held.rules, part.rules);
  if (missing) return missing;
  const unknown = [...part.templates].find(name => {
    const template = caches.roleTemplate.get(name);
    return template && hidesItsRules(template) && !held.templates.has(name);
  });
  return unknown && `role ${unknown}`;
}

type UserSubjects = Pick<Caller, 'userId' | 'groups' | 'extra'>;

const seen = new WeakMap<User, { readonly attribute: UserAttribute | undefined; readonly subjects: UserSubjects }>();

/** A user as bindings see him, without his being signed in: his id, principals and last known groups. The same while those are. */
export function subjectsOfUser(caches: Caches, userId: string): UserSubjects {
  const [user, attribute] = [caches.user.get(userId), caches.userAttribute.get(userId)];
  const known = user && seen.get(user);
  if (known && known.attribute === attribute) return known.subjects;
  const groups = Object.values(attribute?.groupPrincipals ?? {}).flat();
  const subjects: UserSubjects = {
    userId,
    groups: [...groups, 'system:authenticated', 'system:cattle:authenticated'],
    extra: { principalid: user?.principalIds ?? [`local://${userId}`] },
  };
  if (user) seen.set(user, { attribute, subjects });
  return subjects;
}
