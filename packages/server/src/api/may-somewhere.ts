/**
 * Whether a caller may make, change or delete one of a type anywhere at all: what schemas and collections offer. Where exactly he may is
 * decided when he does; who may nowhere is not offered it.
 */
import { type TypeId, types } from '@drover/api';
import type { Place } from '../auth/access.ts';
import type { Grants } from '../auth/grants.ts';
import { isAbout } from '../auth/rules.ts';
import { localClusterId } from '../clusters/upstreams.ts';
import type { Caches } from '../resources/index.ts';
import type { ApiView, ServedType } from './behaviour.ts';

/** The methods that need a right, and the verb of each. */
export const verbOf = { POST: 'create', PUT: 'update', DELETE: 'delete' } as const;
export type WritingMethod = keyof typeof verbOf;

/** True where the type decides by itself. */
export function maySomewhere(
  view: ApiView,
  { declaration, stored, behaviour }: ServedType,
  method: WritingMethod,
): boolean {
  const { v3, scope } = declaration;
  const methods: readonly string[] = method === 'POST' ? v3.collectionMethods : v3.resourceMethods;
  if (!methods.includes(method)) return false;
  const { mayCreate, mayUpdate, mayDelete } = behaviour;
  if (!stored || behaviour.source || { POST: mayCreate, PUT: mayUpdate, DELETE: mayDelete }[method]) return true;
  const { access } = view.deps.auth;
  const may = (place?: Place) => access.may(view.caller, verbOf[method], stored, place);
  if (may()) return true;
  const grants = access.grantsOf(view.caller);
  if (method !== 'POST' && namedBy(grants, stored).some(name => may({ name }))) return true;
  if (scope === 'cluster' && (method === 'POST' || stored !== 'cluster')) return false;
  return placesOf(view, grants, stored).some(may);
}

export const mayCreateSomewhere = (view: ApiView, type: ServedType): boolean => maySomewhere(view, type, 'POST');

/** The names that rules single out. */
function namedBy({ rules }: Grants, type: TypeId): string[] {
  const of = types[type];
  return rules.filter(rule => isAbout(rule, of)).flatMap(({ resourceNames }) => resourceNames ?? []);
}

/** Wherever he has been given anything. */
function placesOf({ deps }: ApiView, grants: Grants, type: TypeId): Place[] {
  const { clusters, projects, namespaced, everyCluster } = grants;
  const ids = [...clusters.keys(), ...(everyCluster ? oneOf(deps.caches) : [])];
  if (type === 'cluster') return ids.map(name => ({ name }));
  const own = type === 'project' ? [...projects.keys()].map(id => projectPlace(id)) : [];
  return [...own, ...[...ids, ...projects.keys(), ...namespaced.keys()].map(namespace => ({ namespace }))];
}

/** What is given in every cluster is the same in each but `local`, where it is not given. */
function oneOf({ cluster }: Caches): string[] {
  for (const { metadata } of cluster.all()) if (metadata.name !== localClusterId) return [metadata.name];
  return [];
}

function projectPlace(id: string): Place {
  const [namespace, name] = id.split(':');
  return { namespace, name };
}
