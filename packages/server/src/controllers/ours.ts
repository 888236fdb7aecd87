/**
 * The marks on what this server puts into clusters, so that it removes that and nothing else. Several installs may manage one
 * cluster: each has a mark of its own. What has none is from before there was one, and belongs to whoever finds it.
 */
import { createHash } from 'node:crypto';
import type { Resource } from '@drover/base';

const managedBy = { 'app.kubernetes.io/managed-by': 'drover', 'cattle.io/creator': 'norman' } as const;
const managedSelector = 'app.kubernetes.io/managed-by=drover,cattle.io/creator=norman';
const installLabel = 'drover.io/install';

/** Set on what the import manifest brings: ours as well, but no grant. */
export const agentPart = { 'drover.io/part-of': 'agent' } as const;

/** Set on what comes of grants in projects: kept in step by itself. */
export const projectPart = { 'drover.io/part-of': 'projects' } as const;

/** Set on what the authorized endpoint of a cluster is made of. */
export const endpointPart = { 'drover.io/part-of': 'endpoint' } as const;

/** Set on the copies of a project's secrets. */
export const secretPart = { 'drover.io/part-of': 'secrets' } as const;

/** Set on the policy of who may change namespaces. */
export const policyPart = { 'drover.io/part-of': 'policy' } as const;

/** Set on the quotas and limits of namespaces. */
export const quotaPart = { 'drover.io/part-of': 'quotas' } as const;

/** Set on the policies that isolate projects. */
export const isolationPart = { 'drover.io/part-of': 'isolation' } as const;

/** Set on the pods of kubectl shells. */
export const shellPart = { 'drover.io/part-of': 'shell' } as const;

/** What may be ours, among all that installs like this one made. */
export const maybeOurs = managedSelector;
/** The same, of grants alone. */
export const maybeOurGrants = `${managedSelector},!drover.io/part-of`;

/** The same, of grants in projects. */
export const maybeOurProjectGrants = `${managedSelector},drover.io/part-of=projects`;

/** The same, of an authorized endpoint. */
export const maybeOurEndpoint = `${managedSelector},drover.io/part-of=endpoint`;

/** The same, of copies of projects' secrets. */
export const maybeOurSecrets = `${managedSelector},drover.io/part-of=secrets`;

/** The same, of what isolates projects. */
export const maybeOurIsolation = `${managedSelector},drover.io/part-of=isolation`;

/** The same, of kubectl shells. */
export const maybeOurShells = `${managedSelector},drover.io/part-of=shell`;

/** The labels of what the install with this uuid makes. */
export function marksOf(installUuid: string): Readonly<Record<string, string>> {
  const install = installMark(installUuid);
  return install === '' ? managedBy : { ...managedBy, [installLabel]: install };
}

/** Whether it is this install's to change and to remove. */
export function isOurs({ metadata }: Resource, installUuid: string): boolean {
  if (metadata.labels?.['app.kubernetes.io/managed-by'] !== managedBy['app.kubernetes.io/managed-by']) return false;
  const of = metadata.labels[installLabel];
  return of === undefined || of === installMark(installUuid);
}

/** Whether it has no install's marks. */
export function isNobodys({ metadata: { labels = {} } }: Resource): boolean {
  return labels[installLabel] === undefined && Object.keys(managedBy).every(key => labels[key] === undefined);
}

/** Whether it has this install's own mark already. */
export function isMarked({ metadata }: Resource, installUuid: string): boolean {
  return (metadata.labels?.[installLabel] ?? '') === installMark(installUuid);
}

/** The binding that lets this install's controllers work in a cluster: each install has one, so that none takes another's away. */
export function controllersBinding(installUuid: string): string {
  return installName('drover-controllers', installUuid);
}

/** A name of this install's own for something that each install has one of in a cluster. */
export function installName(name: string, installUuid: string): string {
  const install = installMark(installUuid);
  return install === '' ? name : `${name}-${install.slice(0, 8).replace(/[^a-z0-9]+$/, '')}`;
}

/** The uuid, or what stands for it where it could be no label or name. */
function installMark(installUuid: string): string {
  if (installUuid === '' || /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(installUuid)) return installUuid;
  return createHash('sha256').update(installUuid).digest('hex').slice(0, 32);
}
