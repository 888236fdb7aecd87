/**
 * What counts as somebody's own when he gives rights away, or acts on another: in one place, with nothing that only looks like it.
 * Rights on the server are rights over its own kinds, in every cluster; they are nothing inside of clusters.
 */
import type { RoleTemplate } from '@drover/api';
import type { Caches } from '../resources/index.ts';
import { type Grants, type ScopeGrants, scopesIn, templatesOf } from './grants.ts';
import { firstMissing, type PolicyRule } from './rules.ts';

/** Where rights are given: on the whole server when neither is set. */
export interface Scope {
  readonly clusterId?: string;
  /** `cluster:project`. */
  readonly projectId?: string;
}

/** Stands for each cluster but `local`, for what is given in all of them. */
export const everyCluster = '*';

export interface Held {
  readonly rules: readonly PolicyRule[];
  /** Ids of role templates, with those that Kubernetes' own ones among them hold whole. */
  readonly templates: ReadonlySet<string>;
  /** Whether he owns the cluster, or the project that was asked for. */
  readonly owner: boolean;
  /** Whether he owns the cluster and has everything inside of it; by the verb `own` alone he has not. */
  readonly ownsAll: boolean;
}

const managementGroup = 'management.cattle.io';

export function heldIn(caches: Caches, grants: Grants, { clusterId, projectId }: Scope): Held {
  if (grants.admin) return { rules: grants.rules, templates: new Set(), owner: true, ownsAll: true };
  const project = projectId === undefined ? undefined : grants.projects.get(projectId);
  const wide = clusterId === undefined ? [] : scopesIn(grants, clusterId);
  const parts = [...wide, project];
  const rules = onServerKinds(grants.rules);
  const templates = new Set<string>();
  for (const part of parts) {
    rules.push(...(part?.rules ?? []));
    for (const name of part?.templates ?? []) for (const one of [name, ...(within[name] ?? [])]) templates.add(one);
  }
  if (project && ownsAsShipped(caches, project)) rules.push(...shippedForProjects(caches));
  const inside = wide.flatMap(part => part.rules);
  const ownsAll = wide.some(part => part.owner) && firstMissing(inside, everything) === undefined;
  return { rules, templates, owner: parts.some(part => part?.owner), ownsAll };
}

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** Kubernetes' own roles that hold others whole: it aggregates `view` into `edit`, and `edit` into `admin`. */
const within: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['admin', 'edit', 'view'],
  admin: ['edit', 'view'],
  edit: ['view'],
};

function onServerKinds(rules: readonly PolicyRule[]): PolicyRule[] {
  return rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups?.some(group => group === managementGroup || group === '*')
      ? [{ apiGroups: [managementGroup], resources, resourceNames, verbs }]
      : [],
  );
}

const ownsAsShipped = (caches: Caches, { templates }: ScopeGrants): boolean =>
  templates.has('project-owner') && caches.roleTemplate.get('project-owner')?.builtin === true;

/** Kinds without a namespace that a project's role reaches, and namespaces themselves. */
const outsideOfNamespaces: ReadonlySet<string> = new Set([
  ' nodes',
  ' persistentvolumes',
  ' namespaces',
  'storage.k8s.io storageclasses',
  'apiregistration.k8s.io apiservices',
  'ui.cattle.io navlinks',
  'catalog.cattle.io clusterrepos',
]);

/**
 * What the shipped roles for projects hold inside of a project's namespaces: whoever holds project-owner may give it there, although its
 * own rules lack some (docs/design/009-what-an-owner-may-give.md). Changed, locked and home-made roles add nothing.
 */
function shippedForProjects(caches: Caches): PolicyRule[] {
  const shipped: PolicyRule[] = [];
  for (const template of caches.roleTemplate.all()) {
    if (!template.builtin || template.locked || template.context !== 'project') continue;
    if (!templatesOf(caches, template.metadata.name).every(({ builtin }) => builtin)) continue;
    shipped.push(...allRules(template).filter(isInNamespacesAlone));
  }
  return shipped;
}

const allRules = ({ rules, externalRules }: RoleTemplate): PolicyRule[] => [...(rules ?? []), ...(externalRules ?? [])];

function isInNamespacesAlone({ apiGroups = [], resources = [], nonResourceURLs = [] }: PolicyRule): boolean {
  if (nonResourceURLs.length > 0 || resources.includes('*')) return false;
  if (apiGroups.includes('*') || apiGroups.includes(managementGroup)) return false;
  return !apiGroups.some(group => resources.some(resource => outsideOfNamespaces.has(`${group} ${resource}`)));
}
