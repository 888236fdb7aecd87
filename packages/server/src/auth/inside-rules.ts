/**
 * What a role given here is inside of a cluster, as that cluster's own RBAC can hold it. Both who writes it there and who decides here
 * take it from these functions, so that the two can't differ. Pure.
 */
import type { RoleTemplate } from '@drover/api';
import type { PolicyRule } from './rules.ts';

const managementGroup = 'management.cattle.io';

/** What a project's role may say about things without a namespace; nothing else of it holds outside of the namespaces. */
const promoted: ReadonlyMap<string, string> = new Map([
  ['nodes', ''],
  ['persistentvolumes', ''],
  ['storageclasses', 'storage.k8s.io'],
  ['apiservices', 'apiregistration.k8s.io'],
  ['clusterrepos', 'catalog.cattle.io'],
  ['navlinks', 'ui.cattle.io'],
]);

/**
 * Rules as Kubernetes takes them: one about things or one about addresses, so that what speaks of both is two. A rule that Kubernetes
 * would refuse (without verbs, or about things of no group) gives nothing, rather than keep the whole role from the cluster.
 */
export function kubeRules(rules: readonly object[] | undefined): PolicyRule[] {
  return (rules ?? []).flatMap(rule => {
    const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule as PolicyRule;
    if (!verbs?.length) return [];
    const out: PolicyRule[] = [];
    if (apiGroups?.length && resources?.length)
      out.push({ verbs, apiGroups, resources, ...(resourceNames?.length ? { resourceNames } : {}) });
    if (nonResourceURLs?.length) out.push({ verbs, nonResourceURLs });
    return out;
  });
}

type Template = Pick<RoleTemplate, 'rules' | 'externalRules'>;

/** Everything that is known here of a template's rules, whoever writes them. */
export const knownRules = ({ rules, externalRules }: Template): PolicyRule[] =>
  kubeRules([...(rules ?? []), ...(externalRules ?? [])]);

/** What a project's role gives outside of its namespaces, by resource. */
export function promotedRules(template: Template): PolicyRule[] {
  return knownRules(template).flatMap(({ apiGroups = [], resources = [], verbs = [], resourceNames }) =>
    [...promoted]
      .filter(([resource, group]) => includes(resources, resource) && includes(apiGroups, group))
      .map(([resource, group]) => ({
        apiGroups: [group],
        resources: [resource],
        verbs,
        ...(resourceNames ? { resourceNames } : {}),
      })),
  );
}

const includes = (all: readonly string[], one: string): boolean => all.includes(one) || all.includes('*');

const says = (template: Template, verb: string, resource: string, group: string): boolean =>
  knownRules(template).some(
    ({ apiGroups = [], resources = [], verbs = [], resourceNames }) =>
      includes(apiGroups, group) && includes(resources, resource) && includes(verbs, verb) && !resourceNames,
  );

/** Whoever may make namespaces in his project looks after those that are in it. */
export const mayMakeNamespaces = (template: Template): boolean => says(template, 'create', 'namespaces', '');

/** Whoever may say by the labels of a project's namespaces which pods run in them. */
export const setsPodSecurity = (template: Template): boolean =>
  says(template, 'updatepsa', 'projects', managementGroup);

/** One verb on one project, as the cluster is told of it. */
export const onProject = (project: string, verb: string): PolicyRule => ({
  apiGroups: [managementGroup],
  resources: ['projects'],
  verbs: [verb],
  resourceNames: [project],
});

export const createNamespaceRule: PolicyRule = { apiGroups: [''], resources: ['namespaces'], verbs: ['create'] };

/** The namespaces of a project by name, for who may make some and for who may look; never without a name, which would mean all. */
export const namespacesRule = (names: readonly string[], edit: boolean): PolicyRule => ({
  apiGroups: [''],
  resources: ['namespaces'],
  verbs: edit ? ['*'] : ['get'],
  resourceNames: names,
});
