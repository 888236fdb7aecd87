/**
 * Removal notes: what a change takes from whom in which clusters, noted in the store in the same step as the change, so that nobody uses
 * there what he has lost here before the cluster has confirmed that it is gone. Pure: from a change to its note, and from a note and
 * somebody's grants to whether it keeps him out.
 */
import type { Cluster, RoleTemplate, TypedResource, TypeId } from '@drover/api';
import { isTrue, keyOf } from '@drover/base';
import type { Caches } from '../resources/index.ts';
import {
  bindingsOf,
  type Grants,
  keysOfSubjects,
  type ScopeGrants,
  type SubjectFields,
  type Subjects,
  scopesIn,
  subjectKeyOf,
  templatesOf,
} from './grants.ts';
import { kubeRules } from './inside-rules.ts';
import { firstMissing, isEverything, type PolicyRule } from './rules.ts';

export interface RemovalNote {
  /** Where it may still hold. */
  readonly clusters: readonly string[];
  /** Who may still have it: subjects as bindings name them, or whoever is bound to one of these roles. */
  readonly subjects?: readonly string[];
  readonly roles?: readonly string[];
  readonly globalRole?: string;
  /** The project that it held in; undefined: all of the cluster. */
  readonly projectId?: string;
  /** The role templates that were had by it. */
  readonly had: readonly string[];
  /** What a role said before; a note with neither `had` nor `rules` is never made good by what somebody has besides. */
  readonly rules?: readonly PolicyRule[];
  /** A namespace that left the project, and where it went; it keeps out of that namespace alone. */
  readonly moved?: { readonly namespace: string; readonly to?: string };
  /** The resource as it was: who still sees it so does not know of the change yet. */
  readonly cause?: { readonly type: TypeId; readonly key: string; readonly version: string };
}

type Any = TypedResource<TypeId>;

/** The note that the change is worth; undefined where nobody loses anything in a cluster by it. */
export function noteOf(
  caches: Caches,
  id: TypeId,
  { before, after }: { readonly before: Any | undefined; readonly after: Any | undefined },
): RemovalNote | undefined {
  if (!before || before.metadata.deletionTimestamp) return undefined;
  const next = after?.metadata.deletionTimestamp ? undefined : after;
  const lost = losses[id]?.(caches, before, next);
  const clusters = lost?.clusters.filter(clusterId => wasReached(caches.cluster.get(clusterId)));
  if (!lost || !clusters?.length) return undefined;
  const cause = { type: id, key: keyOf(before.metadata), version: before.metadata.resourceVersion ?? '' };
  return { ...lost, clusters: [...new Set(clusters)], cause };
}

/** Nothing can be left in a cluster that nobody ever reached. */
const wasReached = (cluster: Cluster | undefined): boolean =>
  cluster !== undefined && (Boolean(cluster.status?.clusterUid) || isTrue(cluster.status?.conditions, 'Connected'));

type Losses = {
  readonly [Id in TypeId]?: (caches: Caches, before: Any, after: Any | undefined) => RemovalNote | undefined;
};

const losses: Losses = {
  clusterRoleTemplateBinding(caches, before, after) {
    const { clusterName = '', roleTemplateName } = before as TypedResource<'clusterRoleTemplateBinding'>;
    if (isSame(before, after, ['clusterName', 'roleTemplateName'])) return undefined;
    return { clusters: [clusterName], subjects: keys(before), had: namesOf(caches, roleTemplateName) };
  },
  projectRoleTemplateBinding(caches, before, after) {
    const { projectName = '', roleTemplateName } = before as TypedResource<'projectRoleTemplateBinding'>;
    if (isSame(before, after, ['projectName', 'roleTemplateName'])) return undefined;
    const clusters = [projectName.split(':')[0]!];
    return { clusters, subjects: keys(before), projectId: projectName, had: namesOf(caches, roleTemplateName) };
  },
  globalRoleBinding(caches, before, after) {
    if (isSame(before, after, ['globalRoleName'])) return undefined;
    const role = caches.globalRole.get((before as TypedResource<'globalRoleBinding'>).globalRoleName ?? '');
    const lost = role && globalLoss(caches, role, undefined);
    return lost && { ...lost, subjects: keys(before) };
  },
  globalRole(caches, before, after) {
    const role = before as TypedResource<'globalRole'>;
    const lost = globalLoss(caches, role, after as TypedResource<'globalRole'> | undefined);
    return lost && { ...lost, globalRole: role.metadata.name };
  },
  roleTemplate(caches, before, after) {
    const [was, is] = [before as RoleTemplate, after as RoleTemplate | undefined];
    const rules = was.external ? [] : kubeRules(was.rules);
    const inherited = (was.roleTemplateNames ?? []).filter(name => !is?.roleTemplateNames?.includes(name));
    const otherKind = Boolean(was.external) !== Boolean(is?.external);
    const shorter = firstMissing(is && !is.external ? kubeRules(is.rules) : [], rules) !== undefined;
    const outside = firstMissing(kubeRules(is?.externalRules), kubeRules(was.externalRules)) !== undefined;
    if (is && inherited.length === 0 && !otherKind && !shorter && !outside) return undefined;
    const { name } = was.metadata;
    const roles = [...caches.roleTemplate.all()]
      .filter(each => templatesOf(caches, each.metadata.name).some(({ metadata }) => metadata.name === name))
      .map(({ metadata }) => metadata.name);
    const had = [name, ...inherited.flatMap(each => namesOf(caches, each))];
    const clusters = clustersBoundTo(caches, new Set(roles));
    return { clusters, roles, had, ...(otherKind || outside ? {} : { rules }) };
  },
  user(caches, before, after) {
    const principals = (before as TypedResource<'user'>).principalIds ?? [];
    const kept = new Set((after as TypedResource<'user'> | undefined)?.principalIds);
    const lost = principals.filter(principal => !kept.has(principal));
    // Whoever is gone signs in no more.
    if (!after || lost.length === 0) return undefined;
    const subjects = { userId: '', groups: [], principalIds: lost };
    const bound = bindingsOf(caches, subjects);
    if (bound.length === 0) return undefined;
    return {
      clusters: allClusters(caches),
      subjects: [`user ${before.metadata.name}`],
      had: bound.flatMap(one =>
        one.type === 'globalRoleBinding' ? [] : namesOf(caches, one.binding.roleTemplateName),
      ),
    };
  },
};

function globalLoss(
  caches: Caches,
  was: TypedResource<'globalRole'>,
  is: TypedResource<'globalRole'> | undefined,
): RemovalNote | undefined {
  const lost = (was.inheritedClusterRoles ?? []).filter(name => !is?.inheritedClusterRoles?.includes(name));
  const noAdmin = isEverything(was.rules ?? []) && !isEverything(is?.rules ?? []);
  if (lost.length === 0 && !noAdmin) return undefined;
  const had = lost.flatMap(name => namesOf(caches, name));
  return { clusters: allClusters(caches), had, ...(noAdmin ? { rules: everything } : {}) };
}

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

const allClusters = (caches: Caches): string[] => Array.from(caches.cluster.all(), ({ metadata }) => metadata.name);

const keys = (binding: Any): string[] => [subjectKeyOf(binding as SubjectFields) ?? ''];

const namesOf = (caches: Caches, template: string | undefined): string[] =>
  templatesOf(caches, template).map(({ metadata }) => metadata.name);

function isSame(before: Any, after: Any | undefined, fields: readonly string[]): boolean {
  if (!after || subjectKeyOf(before as SubjectFields) !== subjectKeyOf(after as SubjectFields)) return false;
  return fields.every(name => (before as never as Record<string, unknown>)[name] === (after as never)[name]);
}

function clustersBoundTo(caches: Caches, roles: ReadonlySet<string>): string[] {
  if ([...caches.globalRole.all()].some(role => role.inheritedClusterRoles?.some(name => roles.has(name))))
    return allClusters(caches);
  const bound = (binding: { readonly roleTemplateName?: string }) => roles.has(binding.roleTemplateName ?? '');
  return [
    ...[...caches.clusterRoleTemplateBinding.all()].filter(bound).map(({ clusterName = '' }) => clusterName),
    ...[...caches.projectRoleTemplateBinding.all()]
      .filter(bound)
      .map(({ projectName = '' }) => projectName.split(':')[0]!),
  ];
}

/** Whether the note keeps this one out of the cluster: it concerns him, and he has not got again what he lost. */
export function keepsOut(
  caches: Caches,
  note: RemovalNote,
  who: { readonly subjects: Subjects; readonly grants: Grants; readonly clusterId: string },
): boolean {
  const { subjects, grants, clusterId } = who;
  if (grants.admin || !note.clusters.includes(clusterId)) return false;
  const wide = scopesIn(grants, clusterId);
  const holds = (scopes: readonly (ScopeGrants | undefined)[], had: Iterable<string>) =>
    [...had].every(name => scopes.some(scope => scope?.templates.has(name))) &&
    firstMissing(
      scopes.flatMap(scope => kubeRules(scope?.rules)),
      note.rules ?? [],
    ) === undefined &&
    (note.had.length > 0 || note.rules !== undefined || note.moved !== undefined);
  if (note.moved) {
    const left = grants.projects.get(note.projectId ?? '');
    return left !== undefined && !holds([...wide, grants.projects.get(note.moved.to ?? '')], left.templates);
  }
  if (note.subjects) {
    const named = new Set(keysOfSubjects(subjects));
    const project = note.projectId === undefined ? undefined : grants.projects.get(note.projectId);
    return note.subjects.some(key => named.has(key)) && !holds([...wide, project], note.had);
  }
  const isInside = (id: string) => id === clusterId || id.startsWith(`${clusterId}:`);
  return bindingsOf(caches, subjects).some(({ type, binding }) => {
    if (type === 'globalRoleBinding') {
      const role = caches.globalRole.get(binding.globalRoleName ?? '');
      const inherits = role?.inheritedClusterRoles?.some(name => note.roles?.includes(name));
      const unknown = note.roles !== undefined && note.rules === undefined;
      return (inherits || binding.globalRoleName === note.globalRole) && (unknown || !holds(wide, note.had));
    }
    const place = (type === 'clusterRoleTemplateBinding' ? binding.clusterName : binding.projectName) ?? '';
    if (!isInside(place) || !note.roles?.includes(binding.roleTemplateName ?? '')) return false;
    return !holds([...wide, grants.projects.get(place)], note.had) || note.rules === undefined;
  });
}
