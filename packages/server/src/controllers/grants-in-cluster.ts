/** The grants that count in one cluster, by where they lie, and the roles that they need there. */
import type { ClusterRoleTemplateBinding, ProjectRoleTemplateBinding } from '@drover/api';
import { liesInItsProject, templatesOf } from '../auth/grants.ts';
import type { Caches } from '../resources/index.ts';

const clusterIndex = 'project-cluster';

/** Lets the grants in one cluster's projects be found without a look at all the others'; once, before the first is asked for. */
export function indexProjectBindings(caches: Pick<Caches, 'projectRoleTemplateBinding'>): void {
  caches.projectRoleTemplateBinding.index(clusterIndex, ({ projectName }) => [projectName?.split(':')[0]]);
}

/** A binding counts only where it lies: whoever may write in one namespace must not reach another cluster. */
export function bindingsIn(caches: Caches, clusterId: string): ClusterRoleTemplateBinding[] {
  return [...caches.clusterRoleTemplateBinding.all()].filter(
    ({ clusterName, metadata }) => clusterName === clusterId && metadata.namespace === clusterId,
  );
}

/** The same of its projects. */
export function projectBindingsIn(caches: Caches, clusterId: string): ProjectRoleTemplateBinding[] {
  return caches.projectRoleTemplateBinding
    .by(clusterIndex, clusterId)
    .filter(binding => liesInItsProject(caches, binding));
}

/** Role templates, with all that they inherit, that somebody holds in the cluster. */
export const templatesInCluster = (caches: Caches, clusterId: string): ReadonlySet<string> =>
  templatesBy(caches, bindingsIn(caches, clusterId));

/** The same of its projects. */
export const templatesInProjects = (caches: Caches, clusterId: string): ReadonlySet<string> =>
  templatesBy(caches, projectBindingsIn(caches, clusterId));

function templatesBy(
  caches: Caches,
  bindings: readonly (ClusterRoleTemplateBinding | ProjectRoleTemplateBinding)[],
): ReadonlySet<string> {
  const held = new Set(
    bindings.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ roleTemplateName }) => roleTemplateName),
  );
  return new Set([...held].flatMap(name => templatesOf(caches, name).map(({ metadata }) => metadata.name)));
}
