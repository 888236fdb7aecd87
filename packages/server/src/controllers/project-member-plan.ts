/**
 * What a cluster's own RBAC must hold for the members of its projects: a RoleBinding per grant in each of the project's
 * namespaces, the namespaces themselves by name, and what a project's role says about things that have no namespace. Pure.
 */
import type { RoleTemplate } from '@drover/api';
import type { Resource } from '@drover/base';
import { templatesOf } from '../auth/grants.ts';
import {
  createNamespaceRule,
  mayMakeNamespaces,
  namespacesRule,
  onProject,
  promotedRules,
  setsPodSecurity,
} from '../auth/inside-rules.ts';
import type { PolicyRule } from '../auth/rules.ts';
import {
  bindingName,
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRole,
  type Given,
  ownerLabel,
  type Subject,
} from './member-plan.ts';
import { marksOf, projectPart } from './ours.ts';

export interface ProjectGrants {
  readonly installUuid: string;
  readonly given: readonly (Given & { readonly projectId: string })[];
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

export function planProjectMembers(grants: ProjectGrants): ProjectMemberPlan {
  const marks = { ...marksOf(grants.installUuid), ...projectPart };
  const roles = new Map<string, ClusterRole>();
  const all = new Map<string, ClusterRoleBinding>();
  const give = (role: string, to: Given, namespace?: string) => {
    for (const subject of to.subjects) {
      const made = bind(role, { subject, owner: to.owner }, { marks, namespace });
      const place = `${namespace ?? ''}/${made.metadata.name}`;
      if (!all.has(place)) all.set(place, made);
    }
  };
  for (const to of grants.given) {
    if (to.subjects.length === 0) continue;
    const { projectId } = to;
    const templates = templatesOf({ roleTemplate: { get: grants.template } }, to.roleTemplateName);
    const namespaces = grants.namespacesOf(projectId);
    for (const template of templates) {
      const { name } = template.metadata;
      if (!template.external) roles.set(name, clusterRole(name, template, marks));
      for (const namespace of namespaces) give(name, to, namespace);
      const outside = promotedRules(template);
      if (outside.length === 0) continue;
      roles.set(`${name}-promoted`, ruled(`${name}-promoted`, outside, marks));
      give(`${name}-promoted`, to);
    }
    const role = namespaceRole(projectId, { namespaces, edit: templates.some(mayMakeNamespaces), marks });
    for (const own of [role, templates.some(setsPodSecurity) ? podSecurityRole(projectId, marks) : undefined]) {
      if (!own) continue;
      roles.set(own.metadata.name, own);
      give(own.metadata.name, to);
    }
    if (!templates.some(mayMakeNamespaces)) continue;
    roles.set(createNamespaces, ruled(createNamespaces, [createNamespaceRule], marks));
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

function podSecurityRole(projectId: string, marks: Readonly<Record<string, string>>): ClusterRole {
  const project = projectId.split(':')[1] ?? '';
  return ruled(`${project}-namespaces-psa`, [onProject(project, 'updatepsa')], marks);
}

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
  const about = namespaces.length > 0 ? [namespacesRule([...namespaces].sort(), edit)] : [];
  const rules = edit ? [...about, onProject(project, 'manage-namespaces')] : about;
  return ruled(`${project}-namespaces-${edit ? 'edit' : 'readonly'}`, rules, marks);
}

const ruled = (name: string, rules: readonly PolicyRule[], marks: Readonly<Record<string, string>>): ClusterRole =>
  clusterRole(name, { rules: rules as RoleTemplate['rules'] }, marks);

function bind(
  role: string,
  { subject, owner }: { readonly subject: Subject; readonly owner: string },
  { marks, namespace }: { readonly marks: Readonly<Record<string, string>>; readonly namespace: string | undefined },
): ClusterRoleBinding {
  const apiGroup = 'rbac.authorization.k8s.io';
  const labels = { ...marks, ...ownerLabel(owner) };
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name: bindingName(role, subject, namespace), ...(namespace ? { namespace } : {}), labels },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: subject.kind, name: subject.name }],
  };
}
