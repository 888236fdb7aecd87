/**
 * Inside: what roles given here let somebody do inside of a cluster. The same answer that the cluster's own RBAC gives once it has been
 * told of them; `own` of a cluster or project is about this server's resources, and nothing there.
 */
import type { Caches } from '../resources/index.ts';
import { type Grants, type ScopeGrants, scopesInKnown } from './grants.ts';
import {
  createNamespaceRule,
  kubeRules,
  mayMakeNamespaces,
  namespacesRule,
  onProject,
  promotedRules,
  setsPodSecurity,
} from './inside-rules.ts';
import { type Attributes, type PolicyRule, rulesAllow, rulesAllowUrl } from './rules.ts';

/** One thing wanted in a cluster: of a resource, or of an address such as `/metrics`. */
export type InsideWanted = {
  readonly verb: string;
  readonly clusterId: string;
  /** The project of the namespace it is wanted in; undefined outside of all. */
  readonly projectId?: string;
  /** The project of the namespace that is wanted itself, where one is. */
  readonly ofProjectId?: string;
  /** Rules of roles that only the cluster knows, by role template. */
  readonly external?: ReadonlyMap<string, readonly PolicyRule[]>;
} & ({ readonly attributes: Attributes } | { readonly url: string });

export function grantsAllowInside(caches: Caches, grants: Grants, wanted: InsideWanted): boolean {
  if (grants.admin) return true;
  const { clusterId, projectId, external } = wanted;
  for (const scope of scopesInKnown(caches, grants, clusterId))
    if (allows(rulesIn(caches, scope, external), wanted)) return true;
  const project = projectId === undefined ? undefined : grants.projects.get(projectId);
  // Addresses belong to no namespace.
  if (project && 'attributes' in wanted && allows(rulesIn(caches, project, external), wanted)) return true;
  for (const [id, scope] of grants.projects)
    if (id.startsWith(`${clusterId}:`) && allows(outsideRules(caches, scope, { id, wanted }), wanted)) return true;
  return false;
}

function allows(rules: readonly PolicyRule[], wanted: InsideWanted): boolean {
  if ('url' in wanted) return rulesAllowUrl(rules, wanted.verb, wanted.url);
  return rulesAllow(rules, wanted.verb, wanted.attributes);
}

const kept = new WeakMap<ScopeGrants, PolicyRule[]>();

/** What the scope's own roles say; kept as long as the grants are. */
function rulesIn(caches: Caches, scope: ScopeGrants, external: InsideWanted['external']): readonly PolicyRule[] {
  let rules = kept.get(scope);
  if (!rules) {
    rules = [...scope.templates].flatMap(name => {
      const template = caches.roleTemplate.get(name);
      return template && !template.external ? kubeRules(template.rules) : [];
    });
    kept.set(scope, rules);
  }
  if (!external) return rules;
  const more = [...scope.templates].filter(name => caches.roleTemplate.get(name)?.external);
  return more.length === 0 ? rules : [...rules, ...more.flatMap(name => external.get(name) ?? [])];
}

/** What a role in a project gives outside of its namespaces, and about them. */
function outsideRules(
  caches: Caches,
  scope: ScopeGrants,
  { id, wanted }: { readonly id: string; readonly wanted: InsideWanted },
): PolicyRule[] {
  const templates = [...scope.templates].flatMap(name => caches.roleTemplate.get(name) ?? []);
  const edit = templates.some(mayMakeNamespaces);
  const project = id.split(':')[1]!;
  const name = 'attributes' in wanted ? wanted.attributes.name : undefined;
  return [
    ...templates.flatMap(promotedRules),
    ...(name !== undefined && wanted.ofProjectId === id ? [namespacesRule([name], edit)] : []),
    ...(edit ? [createNamespaceRule, onProject(project, 'manage-namespaces')] : []),
    ...(templates.some(setsPodSecurity) ? [onProject(project, 'updatepsa')] : []),
  ];
}
