/**
 * The one answer that the proxy makes itself: namespaces, for who may not list them in the cluster but is in some of its projects. Lists and
 * watches are asked of the cluster as the server, in the form that the client wants, and cut down to those that he may get.
 */
import { badRequest } from '@drover/base';
import { type KubeClient, reviewOwnAccess } from '@drover/kube';
import type { Access } from '../auth/access.ts';
import type { Grants } from '../auth/grants.ts';
import type { Identity } from '../auth/impersonation.ts';
import { grantsAllowInside } from '../auth/inside.ts';
import type { Caller, Exchange } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';
import { filterable, type Item } from './namespace-form.ts';

export const namespacesPath = '/api/v1/namespaces';
const oldWatchPath = '/api/v1/watch/namespaces';

export interface NamespaceDeps {
  readonly access: Pick<Access, 'grantsOf' | 'mayReach' | 'onChange'>;
  readonly caches: Caches;
  /** The cluster as the server itself sees it. */
  readonly client: (clusterId: string) => KubeClient;
  /** The same with connections for watches. */
  readonly watching: (clusterId: string) => KubeClient;
  /** Aborts when the caller's token or user stops being good; what he may see is followed by the watch itself. */
  readonly signalOf: (caller: Caller) => AbortSignal;
}

export interface AskedFor {
  readonly clusterId: string;
  readonly caller: Caller;
  /** Whose namespaces are wanted: the caller's own, or of whom he acts as. */
  readonly identity: Identity;
  readonly signal: AbortSignal;
}

/** Namespaces as one person sees them in one cluster. */
export interface NamespaceView {
  readonly deps: NamespaceDeps;
  readonly cluster: KubeClient;
  readonly asked: AskedFor;
  readonly accept: string;
  readonly query: URLSearchParams;
  /** By what he has now, or by the grants given, of another moment. */
  sees(item: Pick<Item, 'name' | 'project'>, grants?: Grants): boolean;
}

/** By what somebody saw a list of that revision, so that a watch from there can tell what changed since in his sight. */
const seenBy = new Map<string, Grants>();
const mostSeen = 5000;
const seenKey = ({ asked: { clusterId, identity } }: NamespaceView, resourceVersion: string): string =>
  JSON.stringify([clusterId, identity.userId, identity.groups, resourceVersion]);

export function noteSeen(view: NamespaceView, resourceVersion: string): void {
  if (seenBy.size >= mostSeen) seenBy.delete(seenBy.keys().next().value!);
  seenBy.set(seenKey(view, resourceVersion), view.deps.access.grantsOf(asBound(view.deps, view.asked.identity)));
}

/** Undefined where it was not asked for here, or too long ago. */
export const grantsSeenBy = (view: NamespaceView, resourceVersion: string): Grants | undefined =>
  seenBy.get(seenKey(view, resourceVersion));

/** An identity as bindings know it: somebody who is acted as says nothing of his principals. */
function asBound({ caches }: NamespaceDeps, identity: Identity & { readonly principals?: readonly string[] }) {
  if (identity.principals) return identity;
  const principals = caches.user.get(identity.userId)?.principalIds ?? [];
  return { ...identity, principals: [...new Set([`local://${identity.userId}`, ...principals])] };
}

const isTrue = (value: string | null): boolean => value !== null && value !== 'false' && value !== '0';

/** What is asked for, if it is such a list or watch at all; cheap, since every request is asked. */
export function namespacesAsked({ request, query }: Exchange, rest: string): 'list' | 'watch' | undefined {
  if (request.method !== 'GET') return undefined;
  if (rest === namespacesPath) return isTrue(query.get('watch')) ? 'watch' : 'list';
  return rest === oldWatchPath ? 'watch' : undefined;
}

/** The view; undefined for whom the cluster is to answer itself. */
export async function viewOf(
  deps: NamespaceDeps,
  { request, query }: Exchange,
  { verb, ...asked }: AskedFor & { readonly verb: 'list' | 'watch' },
): Promise<NamespaceView | undefined> {
  const accept = filterable(request.headers.accept);
  const { clusterId, identity, signal } = asked;
  if (accept === undefined || !seesAny(deps, identity, clusterId)) return undefined;
  const cluster = deps.client(clusterId);
  const { userId: user, groups, extra } = identity;
  // Its own bindings count as well; a list of one by its name is asked about that name.
  const name = /^metadata\.name==?([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  const { allowed } = await reviewOwnAccess(
    cluster.as({ user, groups, extra }),
    { verb, resource: 'namespaces', name },
    { signal },
  );
  if (allowed) return undefined;
  return { deps, cluster, asked, accept, query, sees: (item, grants) => isSeen(deps, { ...asked, grants }, item) };
}

/** Whether there could be one that he sees; who has nothing to do with any is refused by the cluster. */
function seesAny(deps: NamespaceDeps, identity: Identity, clusterId: string): boolean {
  const { access, caches } = deps;
  const grants = access.grantsOf(asBound(deps, identity));
  for (const projectId of grants.projects.keys()) if (projectId.startsWith(`${clusterId}:`)) return true;
  const rules = [grants.clusters.get(clusterId), grants.everyCluster].flatMap(scope => scope?.rules ?? []);
  return (
    caches.cluster.get(clusterId) !== undefined && rules.some(({ resources }) => resources?.includes('namespaces'))
  );
}

/** What a get of it by its name would be answered, by what was given here. */
function isSeen(
  deps: NamespaceDeps,
  { clusterId, caller, identity, grants }: AskedFor & { readonly grants: Grants | undefined },
  { name, project }: Pick<Item, 'name' | 'project'>,
): boolean {
  const { access, caches } = deps;
  if (!access.mayReach(caller, clusterId)) return false;
  const projectId = project?.startsWith(`${clusterId}:`) ? project : undefined;
  const attributes = { group: '', resource: 'namespaces', name };
  return grantsAllowInside(caches, grants ?? access.grantsOf(asBound(deps, identity)), {
    verb: 'get',
    clusterId,
    projectId,
    ofProjectId: projectId,
    attributes,
  });
}

/** The whole number of at least 1 that a parameter holds; undefined where it is absent or 0. */
export function countOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? '';
  if (text === '' || text === '0') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name} must be a whole number, not "${text.slice(0, 40)}"`);
  return Number(text);
}
