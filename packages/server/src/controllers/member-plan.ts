/**
 * What a cluster's own RBAC must hold for the members that the server knows: a ClusterRole per role template and a
 * ClusterRoleBinding per grant, under the names that tools of this ecosystem know. Pure: grants in, objects out.
 */
import { createHash } from 'node:crypto';
import type { ClusterRoleTemplateBinding, RoleTemplate } from '@drover/api';
import type { Resource } from '@drover/base';
import { templatesOf } from '../auth/grants.ts';

/** Marks what we made, so that we remove only that. */
export const managedBy = { 'app.kubernetes.io/managed-by': 'drover', 'cattle.io/creator': 'norman' } as const;
export const managedSelector = 'app.kubernetes.io/managed-by=drover,cattle.io/creator=norman';

/** Set on what the import manifest brings: ours as well, but no grant. */
export const agentPart = { 'drover.io/part-of': 'agent' } as const;
export const memberSelector = `${managedSelector},!drover.io/part-of`;

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
}

export interface Grants {
  readonly bindings: readonly ClusterRoleTemplateBinding[];
  /** Those who may do everything on the server, and so in each cluster. */
  readonly admins: readonly Subject[];
  readonly template: (id: string) => RoleTemplate | undefined;
}

const rbac = 'rbac.authorization.k8s.io';

export function planMembers(grants: Grants): MemberPlan {
  const roles = new Map<string, ClusterRole>();
  const bindings = new Map<string, ClusterRoleBinding>();
  const add = (binding: ClusterRoleBinding) =>
    bindings.set(binding.metadata.name, bindings.get(binding.metadata.name) ?? binding);
  for (const admin of grants.admins) add(adminBinding(admin));
  for (const grant of grants.bindings) {
    const subject = subjectOf(grant);
    if (!subject || grant.metadata.deletionTimestamp) continue;
    for (const template of templatesOf({ roleTemplate: { get: grants.template } }, grant.roleTemplateName)) {
      const { name } = template.metadata;
      if (!template.external) roles.set(name, clusterRole(name, template));
      add(memberBinding(grant, name, subject));
    }
  }
  return { roles: [...roles.values()], bindings: [...bindings.values()] };
}

/** Whom a binding is for, as the cluster knows them: a user's id, or a group's principal. */
export function subjectOf(
  grant: Pick<ClusterRoleTemplateBinding, 'userName' | 'groupPrincipalName' | 'groupName'>,
): Subject | undefined {
  if (grant.userName) return { kind: 'User', name: grant.userName };
  const group = grant.groupPrincipalName || grant.groupName;
  return group ? { kind: 'Group', name: group } : undefined;
}

function clusterRole(name: string, template: RoleTemplate): ClusterRole {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: managedBy },
    rules: (template.rules ?? []).map(rule => normalizeRule(rule as Record<string, unknown>)),
  };
}

/** Kubernetes takes a rule about resources or about URLs; empty lists are left out so that comparing is stable. */
function normalizeRule(rule: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(rule).filter(([, value]) => Array.isArray(value) && value.length > 0);
  const kept = Object.fromEntries(entries);
  return kept['nonResourceURLs'] || kept['apiGroups'] ? kept : { ...kept, apiGroups: [''] };
}

/** `globaladmin-<user>`; a group's principal is hashed, as it is no name that Kubernetes takes. */
function adminBinding(admin: Subject): ClusterRoleBinding {
  const name = admin.kind === 'User' ? admin.name : `u-${base32(admin.name)}`;
  return binding(`globaladmin-${name}`, 'cluster-admin', admin, {});
}

function memberBinding(grant: ClusterRoleTemplateBinding, role: string, subject: Subject): ClusterRoleBinding {
  const owner = `${grant.metadata.namespace}_${grant.metadata.name}`;
  return binding(bindingName(role, subject), role, subject, { 'authz.cluster.cattle.io/rtb-owner-updated': owner });
}

function binding(name: string, role: string, subject: Subject, labels: Record<string, string>): ClusterRoleBinding {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: { ...managedBy, ...labels } },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: rbac, kind: subject.kind, name: subject.name }],
  };
}

/** Rancher's name for a binding: the same grant always gives the same one. */
export function bindingName(role: string, subject: Subject): string {
  return `crb-${base32(`ClusterRole${role}${subject.kind}${subject.name}`)}`;
}

/** The first ten letters of the lower-case base32 (RFC 4648) of the text's SHA-256. */
function base32(text: string): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let bits = 0n;
  for (const byte of createHash('sha256').update(text).digest().subarray(0, 7)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: 10 }, (_, i) => alphabet[Number((bits >> BigInt(51 - i * 5)) & 31n)]).join('');
}
