/**
 * Whether a caller may make one of a type anywhere at all: what schemas and collections offer. Where exactly he may is
 * decided when he does; who may nowhere is not offered it.
 */
import type { ApiView, ServedType } from './behaviour.ts';

/** True where the type decides by itself. */
export function mayCreateSomewhere({ deps, caller }: ApiView, { declaration, stored, behaviour }: ServedType): boolean {
  if (!declaration.v3.collectionMethods.includes('POST')) return false;
  if (!stored || behaviour.mayCreate) return true;
  const { access } = deps.auth;
  const may = (namespace?: string) => access.may(caller, 'create', stored, { namespace });
  if (may()) return true;
  if (declaration.scope === 'cluster') return false;
  const { clusters, projects, namespaced, everyCluster } = access.grantsOf(caller);
  const anywhere = everyCluster ? [...deps.caches.cluster.all()].map(({ metadata }) => metadata.name) : [];
  for (const places of [clusters.keys(), projects.keys(), namespaced.keys(), anywhere])
    for (const place of places) if (may(place)) return true;
  return false;
}
