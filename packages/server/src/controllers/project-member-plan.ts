/**
 * What a cluster's own RBAC must hold for the members of its projects: a RoleBinding per grant in each of the project's
 * namespaces, the namespaces themselves by name, and what a project's role says about things that have no namespace. Pure.
 */
import type { ProjectRoleTemplateBinding, RoleTemplate } from '@drover/api';
import type { Resource } from '@drover/base';
import { templatesOf } from '../auth/grants.ts';
import {
  bindingName,
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRole,
  type Subject,
  subjectOf,
} from './member-plan.ts';
import { marksOf, projectPart } from './ours.ts';

type Rule = Readonly<Record<string, readonly string[] | undefined>>;

export interface ProjectGrants {
  readonly installUuid: string;
  readonly bindings: readonly ProjectRoleTemplateBinding[];
  readonly template: (id: string) => RoleTemplate | undefined;
  /** The namespaces of a project of this cluster, by its id. */
  readonly namespacesOf: (projectId: string) => readonly string[];
}

export interface ProjectMemberPlan {
  readonly roles: readonly ClusterRole[];
  readonly clusterBindings: readonly ClusterRoleBinding[];
  readonly bindings: readonly RoleBinding[];
}

export interface RoleBinding extends ClusterRoleBinding {
  readonly metadata: Resource['metadata'] & { readonly namespace: string };
}

const createNamespaces = 'create-ns';
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

export function planProjectMembers(grants: ProjectGrants): ProjectMemberPlan {
  const marks = { ...marksOf(grants.installUuid), ...projectPart };
  const roles = new Map<string, ClusterRole>();
  const all = new Map<string, ClusterRoleBinding>();
  const give = (role: string, to: Given, namespace?: string) => {
    const made = bind(role, to, { marks, namespace });
    const place = `${namespace ?? ''}/${made.metadata.name}`;
    if (!all.has(place)) all.set(place, made);
  };
  for (const grant of grants.bindings) {
    const subject = subjectOf(grant);
    if (!subject || grant.metadata.deletionTimestamp || !grant.projectName) continue;
    const to = { subject, owner: `${grant.metadata.namespace}_${grant.metadata.name}` };
    const templates = templatesOf({ roleTemplate: { get: grants.template } }, grant.roleTemplateName);
    const namespaces = grants.namespacesOf(grant.projectName);
    for (const template of templates) {
      const { name } = template.metadata;
      if (!template.external) roles.set(name, clusterRole(name, template, marks));
      for (const namespace of namespaces) give(name, to, namespace);
      const outside = promotedRules(rulesOf(template));
      if (outside.length === 0) continue;
      roles.set(`${name}-promoted`, clusterRole(`${name}-promoted`, { rules: outside }, marks));
      give(`${name}-promoted`, to);
    }
    const role = namespaceRole(grant.projectName, { namespaces, edit: templates.some(mayMakeNamespaces), marks });
    for (const own of [role, templates.some(setsPodSecurity) ? podSecurityRole(grant.projectName, marks) : undefined]) {
      if (!own) continue;
      roles.set(own.metadata.name, own);
      give(own.metadata.name, to);
    }
    if (!templates.some(mayMakeNamespaces)) continue;
    const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }];
    roles.set(createNamespaces, clusterRole(createNamespaces, { rules }, marks));
    give(createNamespaces, to);
  }
  const bindings = [...all.values()];
  const inNamespace = (binding: ClusterRoleBinding): binding is RoleBinding => binding.metadata.namespace !== undefined;
  return {
    roles: [...roles.values()],
    clusterBindings: bindings.filter(binding => !inNamespace(binding)),
    bindings: bindings.filter(inNamespace),
  };
}

const rulesOf = ({ rules, externalRules }: RoleTemplate): readonly Rule[] =>
  [...(rules ?? []), ...(externalRules ?? [])] as unknown as readonly Rule[];

function promotedRules(rules: readonly Rule[]): { apiGroups: string[]; resources: string[]; verbs: string[] }[] {
  return rules.flatMap(({ apiGroups = [], resources = [], verbs = [], resourceNames = [] }) =>
    [...promoted]
      .filter(([resource, group]) => includes(resources, resource) && includes(apiGroups, group))
      .map(([resource, group]) => ({
        apiGroups: [group],
        resources: [resource],
        verbs: [...verbs],
        ...(resourceNames.length > 0 ? { resourceNames: [...resourceNames] } : {}),
      })),
  );
}

const includes = (all: readonly string[], one: string): boolean => all.includes(one) || all.includes('*');

/** Whoever may make namespaces in his project looks after those that are in it. */
const mayMakeNamespaces = (template: RoleTemplate): boolean =>
  rulesOf(template).some(
    ({ apiGroups = [], resources = [], verbs = [], resourceNames = [] }) =>
      includes(apiGroups, '') &&
      includes(resources, 'namespaces') &&
      includes(verbs, 'create') &&
      resourceNames.length === 0,
  );

/** Whoever may say by the labels of a project's namespaces which pods run in them. */
const setsPodSecurity = (template: RoleTemplate): boolean =>
  rulesOf(template).some(
    ({ apiGroups = [], resources = [], verbs = [], resourceNames = [] }) =>
      includes(apiGroups, managementGroup) &&
      includes(resources, 'projects') &&
      includes(verbs, 'updatepsa') &&
      resourceNames.length === 0,
  );

function podSecurityRole(projectId: string, marks: Readonly<Record<string, string>>): ClusterRole {
  const project = projectId.split(':')[1] ?? '';
  return clusterRole(`${project}-namespaces-psa`, { rules: [onProject(project, 'updatepsa')] }, marks);
}

const onProject = (project: string, verb: string) => ({
  apiGroups: [managementGroup],
  resources: ['projects'],
  verbs: [verb],
  resourceNames: [project],
});

/** The project's namespaces by name; no rule about them where there are none, since one without names would mean all. */
function namespaceRole(
  projectId: string,
  how: {
    readonly namespaces: readonly string[];
    readonly edit: boolean;
    readonly marks: Readonly<Record<string, string>>;
  },
): ClusterRole | undefined {
  const { namespaces, edit, marks } = how;
  if (namespaces.length === 0 && !edit) return undefined;
  const project = projectId.split(':')[1] ?? '';
  const named = {
    apiGroups: [''],
    resources: ['namespaces'],
    verbs: edit ? ['*'] : ['get'],
    resourceNames: [...namespaces].sort(),
  };
  const about = namespaces.length > 0 ? [named] : [];
  const rules = edit ? [...about, onProject(project, 'manage-namespaces')] : about;
  return clusterRole(`${project}-namespaces-${edit ? 'edit' : 'readonly'}`, { rules }, marks);
}

interface Given {
  readonly subject: Subject;
  /** The grant that it comes from. */
  readonly owner: string;
}

function bind(
  role: string,
  { subject, owner }: Given,
  { marks, namespace }: { readonly marks: Readonly<Record<string, string>>; readonly namespace: string | undefined },
): ClusterRoleBinding {
  const apiGroup = 'rbac.authorization.k8s.io';
  const labels = { ...marks, 'authz.cluster.cattle.io/rtb-owner-updated': owner };
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name: bindingName(role, subject, namespace), ...(namespace ? { namespace } : {}), labels },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: subject.kind, name: subject.name }],
  };
}
