/**
 * What a cluster's own RBAC must hold for the members that the server knows: a ClusterRole per role template and a
 * ClusterRoleBinding per grant, under the names that tools of this ecosystem know. Pure: grants in, objects out.
 */
import { createHash } from 'node:crypto';
import type { RoleTemplate } from '@drover/api';
import type { Resource } from '@drover/base';
import { templatesOf } from '../auth/grants.ts';
import { kubeRules } from '../auth/inside-rules.ts';
import { marksOf } from './ours.ts';

export interface Subject {
  readonly kind: 'User' | 'Group';
  readonly name: string;
}

export interface ClusterRole extends Resource {
  readonly rules: readonly unknown[];
}

export interface ClusterRoleBinding extends Resource {
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects: readonly (Subject & { readonly apiGroup: string })[];
}

export interface MemberPlan {
  readonly roles: readonly ClusterRole[];
  readonly bindings: readonly ClusterRoleBinding[];
  /** Whose plan it is. */
  readonly installUuid: string;
}

/** A role for one or more, and what it comes from. */
export interface Given {
  readonly subjects: readonly Subject[];
  readonly roleTemplateName: string;
  /** `namespace_name` of the binding, or the name of a global one. */
  readonly owner: string;
}

export interface Grants {
  readonly installUuid: string;
  readonly given: readonly Given[];
  /** Those who may do everything on the server, and so in each cluster. */
  readonly admins: readonly Subject[];
  readonly template: (id: string) => RoleTemplate | undefined;
}

const rbac = 'rbac.authorization.k8s.io';

export function planMembers(grants: Grants): MemberPlan {
  const roles = new Map<string, ClusterRole>();
  const bindings = new Map<string, ClusterRoleBinding>();
  const marks = marksOf(grants.installUuid);
  const add = (binding: ClusterRoleBinding) =>
    bindings.set(binding.metadata.name, bindings.get(binding.metadata.name) ?? binding);
  for (const admin of grants.admins) add(adminBinding(admin, marks));
  for (const { subjects, roleTemplateName, owner } of grants.given) {
    if (subjects.length === 0) continue;
    const labels = { ...marks, ...ownerLabel(owner) };
    for (const template of templatesOf({ roleTemplate: { get: grants.template } }, roleTemplateName)) {
      const { name } = template.metadata;
      if (!template.external) roles.set(name, clusterRole(name, template, marks));
      for (const subject of subjects) add(binding(bindingName(name, subject), name, { subject, labels }));
    }
  }
  return { roles: [...roles.values()], bindings: [...bindings.values()], installUuid: grants.installUuid };
}

/** Which grant an object comes from; Kubernetes takes no longer name there. */
export const ownerLabel = (owner: string): Marks => ({
  'authz.cluster.cattle.io/rtb-owner-updated': /^[\w.-]{1,63}$/.test(owner) ? owner : `rtb-${base32(owner)}`,
});

/** The bindings of roles that are not among these. */
export const withoutRoles = <B extends ClusterRoleBinding>(bindings: readonly B[], roles: ReadonlySet<string>): B[] =>
  bindings.filter(({ roleRef }) => !roles.has(roleRef.name));

type Marks = Readonly<Record<string, string>>;

/** A role template's own rules, as a role of the cluster. */
export function clusterRole(name: string, template: Pick<RoleTemplate, 'rules'>, marks: Marks): ClusterRole {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: marks },
    rules: kubeRules(template.rules),
  };
}

/** `globaladmin-<user>`; a group's principal is hashed, as it is no name that Kubernetes takes. */
function adminBinding(admin: Subject, marks: Marks): ClusterRoleBinding {
  const name = admin.kind === 'User' ? admin.name : `u-${base32(admin.name)}`;
  return binding(`globaladmin-${name}`, 'cluster-admin', { subject: admin, labels: marks });
}

function binding(
  name: string,
  role: string,
  { subject, labels }: { readonly subject: Subject; readonly labels: Marks },
): ClusterRoleBinding {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac, kind: subject.kind, name: subject.name }],
  };
}

/** Rancher's name for a binding, in the whole cluster or in one namespace: the same grant always gives the same one. */
export function bindingName(role: string, subject: Subject, namespace = ''): string {
  return `${namespace ? 'rb' : 'crb'}-${base32(`${namespace}ClusterRole${role}${subject.kind}${subject.name}`)}`;
}

/** The first ten letters of the lower-case base32 (RFC 4648) of the text's SHA-256. */
function base32(text: string): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let bits = 0n;
  for (const byte of createHash('sha256').update(text).digest().subarray(0, 7)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: 10 }, (_, i) => alphabet[Number((bits >> BigInt(51 - i * 5)) & 31n)]).join('');
}
