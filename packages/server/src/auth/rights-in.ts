/**
 * What somebody has been given in one cluster, as single facts: whatever runs for him there was begun with all of them, and ends when
 * one is lost.
 */
import { type Grants, type ScopeGrants, scopesIn } from './grants.ts';

const everything: ReadonlySet<string> = new Set(['admin', 'cluster owner']);
const known = new WeakMap<Grants, Map<string, ReadonlySet<string>>>();

/** The facts; the same set for the same grants. */
export function rightsIn(grants: Grants, clusterId: string): ReadonlySet<string> {
  let ofClusters = known.get(grants);
  if (!ofClusters) known.set(grants, (ofClusters = new Map()));
  let facts = ofClusters.get(clusterId);
  if (!facts) ofClusters.set(clusterId, (facts = gather(grants, clusterId)));
  return facts;
}

/** Whether something that was given before is not given any more. */
export function hasLost(before: ReadonlySet<string>, after: ReadonlySet<string>): boolean {
  if (before === after || !everything.isDisjointFrom(after)) return false;
  return !before.isSubsetOf(after);
}

function gather(grants: Grants, clusterId: string): ReadonlySet<string> {
  const facts = new Set<string>();
  const add = (where: string, { owner, rules }: ScopeGrants) => {
    if (owner) facts.add(`${where} owner`);
    for (const rule of rules) facts.add(`${where} ${JSON.stringify(rule)}`);
  };
  if (grants.admin) facts.add('admin');
  for (const scope of scopesIn(grants, clusterId)) add('cluster', scope);
  for (const [projectId, scope] of grants.projects)
    if (projectId.startsWith(`${clusterId}:`)) add(`project ${projectId}`, scope);
  return facts;
}
