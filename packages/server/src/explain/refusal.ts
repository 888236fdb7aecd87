/** A refusal that helps: what right is missing, where, and who may grant it, as far as the asker may see them. */
import { types } from '@drover/api';
import { forbidden, type StatusError } from '@drover/base';
import type { Wanted } from '../auth/access.ts';
import type { Caller } from '../http/exchange.ts';
import type { ExplainDeps } from './decision.ts';
import { type Question, whoCan } from './who-can.ts';

const mostNames = 5;

/** Forbidden that begins with `text`; the rest names the verb, resource and scope, and who to turn to. */
export function refusal(deps: ExplainDeps, caller: Caller, refused: { text: string; wanted: Wanted }): StatusError {
  const { text, wanted } = refused;
  const { verb, type, place } = wanted;
  const declaration = types[type];
  // It is refused by a rule of the type's own, not for want of a right.
  if (deps.access.may(caller, verb, type, place)) return forbidden(text, { kind: type, name: place.name });
  const clusterId = type === 'cluster' ? place.name : clusterOf(deps, place.namespace);
  const projectId = place.namespace?.includes(':') ? place.namespace : undefined;
  const where =
    projectId !== undefined
      ? ` in project "${projectId}"`
      : clusterId === undefined
        ? ''
        : ` in cluster "${clusterId}"`;
  const right = `${verb} on ${declaration.resource}.${declaration.group}${where}`;
  const names = mayGrant(deps, caller, { clusterId, projectId });
  const who = names.length > 0 ? names.join(', ') : whoInWords(clusterId, projectId);
  return forbidden(`${text}: that needs ${right}; it may be granted by ${who}`, { kind: type, name: place.name });
}

/** Who is in no role in a cluster is told the same of one that is not there: ids can't be tried out. */
export function notMember(clusterId: string): StatusError {
  const text = `you are not a member of a cluster "${clusterId}": that needs a role in it or in one of its projects`;
  return forbidden(`${text}; it may be granted by an owner of the cluster`, { kind: 'cluster', name: clusterId });
}

/**
 * Display names of those who may let others in there, at most five; none where the asker may not see the members. Who
 * makes bindings without being an owner can give no more than he has, and is not named.
 */
export function mayGrant(
  deps: ExplainDeps,
  caller: Caller,
  { clusterId, projectId }: Pick<Question, 'clusterId' | 'projectId'>,
): string[] {
  const wanted: Wanted =
    projectId !== undefined
      ? { verb: 'create', type: 'projectRoleTemplateBinding', place: { namespace: projectId } }
      : clusterId !== undefined
        ? { verb: 'create', type: 'clusterRoleTemplateBinding', place: { namespace: clusterId } }
        : { verb: 'create', type: 'globalRoleBinding', place: {} };
  const { access } = deps;
  const sees =
    access.may(caller, 'list', 'globalRoleBinding') ||
    (clusterId !== undefined && access.may(caller, 'list', 'clusterRoleTemplateBinding', { namespace: clusterId })) ||
    (projectId !== undefined && access.may(caller, 'list', 'projectRoleTemplateBinding', { namespace: projectId }));
  if (!sees) return [];
  const { subjects } = whoCan(deps, caller, { wanted, clusterId, projectId });
  return [...new Set(subjects.map(({ name }) => name))].slice(0, mostNames);
}

function whoInWords(clusterId: string | undefined, projectId: string | undefined): string {
  if (projectId !== undefined) return 'an owner of the project or of its cluster';
  return clusterId === undefined ? 'an administrator' : 'an owner of the cluster';
}

function clusterOf({ caches }: ExplainDeps, namespace: string | undefined): string | undefined {
  if (namespace === undefined) return undefined;
  const id = namespace.split(':')[0]!;
  return caches.cluster.get(id) ? id : undefined;
}
