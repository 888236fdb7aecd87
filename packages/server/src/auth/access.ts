/**
 * Access: who may do what on this server, decided in memory from the cached bindings. One answer for every door: v3, v1,
 * proxy, subscribe, shell.
 */
import { type TypeId, types } from '@drover/api';
import { forbidden } from '@drover/base';
import type { Caller } from '../http/exchange.ts';
import type { Caches, Source } from '../resources/index.ts';
import {
  backingNamespaceOf,
  type Grants,
  indexBindings,
  type ScopeGrants,
  type Subjects,
  scopesInKnown,
} from './grants.ts';
import { heldIn } from './held.ts';
import { KnownGrants } from './known-grants.ts';
import type { Removals } from './removals.ts';
import { type Attributes, rulesAllow } from './rules.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | (string & {});

export interface Place {
  /** A cluster's or project's id, or another namespace of the server. */
  readonly namespace?: string;
  readonly name?: string;
}

export interface Access {
  /** Whether the caller may do this to the type, in the namespace (a cluster's or project's id), to the one of that name. */
  may(caller: Caller, verb: Verb, type: TypeId, place?: Place): boolean;
  /** Whether the caller is a member of the cluster in any role, or an admin: the door of the proxy. */
  mayReach(caller: Caller, clusterId: string): boolean;
  /**
   * Whether a cluster may still grant somebody what he has lost here, so that nobody may act there as him (in one namespace of it) until
   * it has confirmed.
   */
  isHeldBack(identity: Pick<Caller, 'userId' | 'groups' | 'extra'>, clusterId: string, namespace?: string): boolean;
  isAdmin(caller: Caller): boolean;
  /** Whether the caller owns the cluster: an owner's role in it, or admin. */
  isOwner(caller: Caller, clusterId: string): boolean;
  /** Whether he has everything inside of it besides, as owners by the verb `own` have not: what lets him give and be anybody there. */
  ownsAll(caller: Caller, clusterId: string): boolean;
  /** Whether the caller's global rules allow the verb on any resource, known to this server or not: `impersonate`, `view`, … */
  allows(caller: Caller, verb: Verb, attributes: Attributes): boolean;
  /** Told when somebody may have other rights than before: one user, or anybody where it is not said who. Ends with the signal. */
  onChange(listener: (userId?: string) => void, signal: AbortSignal): void;
  /** All that the caller has been given; for checks that compare one caller's rights with another's. */
  grantsOf(caller: Pick<Caller, 'userId' | 'groups' | 'extra'>): Grants;
  /** Changes whenever somebody's grants may have. */
  readonly grants: Source;
}

/** Decides over the caches; what it works out per caller is kept until a role or a binding changes, for `keep` callers. */
export function createAccess(
  caches: Caches,
  signal: AbortSignal,
  options: { readonly keep?: number; readonly removals?: Pick<Removals, 'isOpen' | 'keepOut'> } = {},
): Access {
  const { keep = 5000, removals } = options;
  indexBindings(caches);
  caches.project.index(backingIndex, project => [backingNamespaceOf(project), project.metadata.name]);
  const known = new KnownGrants(caches, keep, signal);
  const listeners = new Set<(userId?: string) => void>();
  const tell = (userId?: string) => {
    for (const listener of [...listeners]) listener(userId);
  };
  for (const id of rightsTypes) caches[id].subscribe(() => tell(), signal);
  caches.userAttribute.subscribe(({ key, before, after }) => {
    const groups = (of: typeof after) => JSON.stringify(of?.groupPrincipals ?? {});
    if (before && groups(before) !== groups(after)) tell(key);
  }, signal);

  // One caller is asked about several times in each of his requests; what he is made of never changes.
  const subjects = new WeakMap<object, Subjects>();
  const grantsOf: Access['grantsOf'] = caller => {
    let of = subjects.get(caller);
    if (!of) subjects.set(caller, (of = subjectsOf(caller)));
    return known.of(of);
  };

  const access: Access = {
    grants: known,
    grantsOf,
    onChange(listener, until) {
      listeners.add(listener);
      until.addEventListener('abort', () => listeners.delete(listener), { once: true });
    },
    isAdmin: caller => caller.clusterId === undefined && grantsOf(caller).admin,
    mayReach(caller, clusterId) {
      if (caller.clusterId !== undefined && caller.clusterId !== clusterId) return false;
      const grants = grantsOf(caller);
      return grantsReach(caches, grants, clusterId);
    },
    isHeldBack(identity, clusterId, namespace) {
      if (!removals?.isOpen(clusterId)) return false;
      const who = { subjects: subjectsOf(identity), grants: grantsOf(identity) };
      return removals.keepOut(clusterId, who, namespace);
    },
    isOwner(caller, clusterId) {
      if (caller.clusterId !== undefined && caller.clusterId !== clusterId) return false;
      const grants = grantsOf(caller);
      return grants.admin || scopesInKnown(caches, grants, clusterId).some(scope => scope.owner);
    },
    ownsAll(caller, clusterId) {
      if (caller.clusterId !== undefined && caller.clusterId !== clusterId) return false;
      return heldIn(caches, grantsOf(caller), { clusterId }).ownsAll;
    },
    allows: (caller, verb, attributes) => rulesAllow(grantsOf(caller).rules, verb, attributes),
    may(caller, verb, type, place = {}) {
      if (caller.clusterId !== undefined && !concernsCluster(caches, type, place, caller.clusterId)) return false;
      return grantsAllow(caches, grantsOf(caller), { verb, type, place }) || isOwn(caches, caller, verb, type, place);
    },
  };
  return access;
}

/** What somebody's rights are made of. */
const rightsTypes = [
  'globalRole',
  'globalRoleBinding',
  'roleTemplate',
  'clusterRoleTemplateBinding',
  'projectRoleTemplateBinding',
  'project',
] as const;

/** Whom bindings name to mean this caller. */
export function subjectsOf({
  userId,
  groups,
  extra,
  principals,
}: Pick<Caller, 'userId' | 'groups' | 'extra' | 'principals'>): Subjects {
  return { userId, groups, principalIds: principals ?? extra['principalid'] ?? [`local://${userId}`] };
}

export interface Wanted {
  readonly verb: Verb;
  readonly type: TypeId;
  readonly place: Place;
}

/** Whether these grants, of whomever, allow it; what everybody may do without any is not among it. */
export function grantsAllow(caches: Caches, grants: Grants, { verb, type, place }: Wanted): boolean {
  const attributes = { group: types[type].group, resource: types[type].resource, name: place.name };
  if (rulesAllow(grants.rules, verb, attributes)) return true;
  if (place.namespace && rulesAllow(grants.namespaced.get(place.namespace) ?? [], verb, attributes)) return true;
  if (type === 'cluster') {
    if (place.name === undefined) return false;
    if (isRead(verb) && isMember(caches, grants, place.name)) return true;
    return scopesInKnown(caches, grants, place.name).some(scope => scope.owner);
  }
  const clusterId = clusterIdOf(caches, type, place);
  if (clusterId === undefined) return false;
  if (clusterTypes.has(type) && allowedIn(scopesInKnown(caches, grants, clusterId), verb, attributes)) return true;
  const projectId = projectIdOf(caches, type, place, clusterId);
  const project = projectId === undefined ? undefined : grants.projects.get(projectId);
  if (!project) return false;
  if (type === 'project') return isRead(verb) || allowedIn([project], verb, attributes);
  return projectTypes.has(type) && allowedIn([project], verb, attributes);
}

/** Whether these grants open the cluster's door. */
export function grantsReach(caches: Caches, grants: Grants, clusterId: string): boolean {
  return grants.admin || isMember(caches, grants, clusterId);
}

/** Throws Forbidden where a cluster may still grant this one what he has lost. */
export function requireNotHeldBack(
  access: Pick<Access, 'isHeldBack'>,
  identity: Pick<Caller, 'userId' | 'groups' | 'extra'>,
  { clusterId, namespace }: { readonly clusterId: string; readonly namespace?: string },
): void {
  if (access.isHeldBack(identity, clusterId, namespace))
    throw forbidden(
      `rights in cluster "${clusterId}" were taken away, and the cluster has not confirmed it yet; try again when it has`,
      { kind: 'cluster', name: clusterId },
    );
}

function isMember(caches: Caches, grants: Grants, clusterId: string): boolean {
  if (grants.clusters.has(clusterId)) return true;
  if (grants.everyCluster && clusterId !== 'local') return caches.cluster.get(clusterId) !== undefined;
  for (const projectId of grants.projects.keys()) if (clusterOf(projectId) === clusterId) return true;
  return false;
}

/** What a role in a cluster can give on this server: nothing but what belongs to that cluster. */
const clusterTypes: ReadonlySet<TypeId> = new Set([
  'clusterRegistrationToken',
  'clusterRoleTemplateBinding',
  'etcdBackup',
  'node',
  'project',
  'projectNetworkPolicy',
  'projectRoleTemplateBinding',
]);
const projectTypes: ReadonlySet<TypeId> = new Set(['projectNetworkPolicy', 'projectRoleTemplateBinding']);

function allowedIn(scopes: readonly ScopeGrants[], verb: Verb, attributes: Attributes): boolean {
  return scopes.some(scope => scope.owner || rulesAllow(scope.rules, verb, attributes));
}

function isRead(verb: Verb): boolean {
  return verb === 'get' || verb === 'list' || verb === 'watch';
}

/** Everybody sees himself and keeps his own tokens, whatever his roles. */
function isOwn(caches: Caches, caller: Caller, verb: Verb, type: TypeId, place: Place): boolean {
  if (type === 'user') return isRead(verb) && place.name === caller.userId;
  if (type !== 'token') return false;
  if (verb === 'create') return true;
  if (place.name === undefined) return false;
  return caches.token.get(place.name)?.userId === caller.userId && (isRead(verb) || verb === 'delete');
}

function clusterOf(projectId: string): string {
  return projectId.slice(0, projectId.indexOf(':'));
}

/** The cluster that something in this place belongs to, if it belongs to one. */
function clusterIdOf(caches: Caches, type: TypeId, place: Place): string | undefined {
  if (type === 'cluster') return place.name;
  const { namespace } = place;
  if (namespace === undefined) return undefined;
  if (namespace.includes(':')) return clusterOf(namespace);
  if (caches.cluster.get(namespace)) return namespace;
  return projectOfNamespace(caches, namespace)?.metadata.namespace;
}

function projectIdOf(caches: Caches, type: TypeId, place: Place, clusterId: string): string | undefined {
  if (type === 'project') return place.name === undefined ? undefined : `${clusterId}:${place.name}`;
  const { namespace = '' } = place;
  if (namespace.includes(':')) return namespace;
  const project = projectOfNamespace(caches, namespace);
  return project && `${project.metadata.namespace}:${project.metadata.name}`;
}

/** The project that keeps its bindings in this namespace: its own id, or `cluster-project`. Two of one id: neither. */
function projectOfNamespace(caches: Caches, namespace: string) {
  const found = caches.project.by(backingIndex, namespace);
  return found.length === 1 ? found[0] : undefined;
}

const backingIndex = 'auth-backing-namespace';

function concernsCluster(caches: Caches, type: TypeId, place: Place, clusterId: string): boolean {
  return clusterIdOf(caches, type, place) === clusterId;
}
