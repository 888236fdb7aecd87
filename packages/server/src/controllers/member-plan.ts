/**
 * What a cluster's own RBAC must hold for the members that the server knows: a ClusterRole per role template and a
 * ClusterRoleBinding per grant, under the names that tools of this ecosystem know. Pure: grants in, objects out.
 */
import { createHash } from 'node:crypto';
import type { ClusterRoleTemplateBinding, RoleTemplate } from '@drover/api';
import type { Resource } from '@drover/base';
import { templatesOf } from '../auth/grants.ts';
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

export interface Grants {
  readonly installUuid: string;
  readonly bindings: readonly ClusterRoleTemplateBinding[];
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
  for (const grant of grants.bindings) {
    const subject = subjectOf(grant);
    if (!subject || grant.metadata.deletionTimestamp) continue;
    for (const template of templatesOf({ roleTemplate: { get: grants.template } }, grant.roleTemplateName)) {
      const { name } = template.metadata;
      if (!template.external) roles.set(name, clusterRole(name, template, marks));
      add(memberBinding(grant, name, { subject, marks }));
    }
  }
  return { roles: [...roles.values()], bindings: [...bindings.values()], installUuid: grants.installUuid };
}

/** Whom a binding is for, as the cluster knows them: a user's id, or a group's principal. */
export function subjectOf(
  grant: Pick<ClusterRoleTemplateBinding, 'userName' | 'groupPrincipalName' | 'groupName'>,
): Subject | undefined {
  if (grant.userName) return { kind: 'User', name: grant.userName };
  const group = grant.groupPrincipalName || grant.groupName;
  return group ? { kind: 'Group', name: group } : undefined;
}

type Marks = Readonly<Record<string, string>>;

/** A role template's own rules, as a role of the cluster. */
export function clusterRole(name: string, template: Pick<RoleTemplate, 'rules'>, marks: Marks): ClusterRole {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: marks },
    rules: (template.rules ?? []).flatMap(rule => normalizeRule(rule as Record<string, unknown>)),
  };
}

/** Kubernetes takes a rule about resources or about URLs; empty lists are left out so that comparing is stable. */
function normalizeRule(rule: Record<string, unknown>): Record<string, unknown>[] {
  const entries = Object.entries(rule).filter(([, value]) => Array.isArray(value) && value.length > 0);
  const { nonResourceURLs, ...kept } = Object.fromEntries(entries);
  const urls = nonResourceURLs === undefined ? [] : [{ verbs: kept['verbs'], nonResourceURLs }];
  // One that speaks of both is two.
  if (urls.length > 0 && !kept['resources']) return urls;
  return [kept['apiGroups'] ? kept : { ...kept, apiGroups: [''] }, ...urls];
}

/** `globaladmin-<user>`; a group's principal is hashed, as it is no name that Kubernetes takes. */
function adminBinding(admin: Subject, marks: Marks): ClusterRoleBinding {
  const name = admin.kind === 'User' ? admin.name : `u-${base32(admin.name)}`;
  return binding(`globaladmin-${name}`, 'cluster-admin', { subject: admin, labels: marks });
}

function memberBinding(
  grant: ClusterRoleTemplateBinding,
  role: string,
  { subject, marks }: { readonly subject: Subject; readonly marks: Marks },
): ClusterRoleBinding {
  const owner = `${grant.metadata.namespace}_${grant.metadata.name}`;
  const labels = { ...marks, 'authz.cluster.cattle.io/rtb-owner-updated': owner };
  return binding(bindingName(role, subject), role, { subject, labels });
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
