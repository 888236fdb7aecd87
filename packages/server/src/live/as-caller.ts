/** A cluster, the context's for one, as the caller: what he may do there is decided there, on every request. */
import { notFound } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ApiView } from '../api/behaviour.ts';
import { identityHeaders, requireNotHeldBack } from '../auth/index.ts';

/** The cluster that the request's context is, or is in. */
export function clusterOf({ context }: ApiView): string {
  return context?.id.split(':')[0] ?? '';
}

/** Throws NotFound where the caller is no member, ServiceUnavailable with its cause where the cluster is away. */
export function asCaller(request: ApiView, clusterId = clusterOf(request)): KubeClient {
  const { deps, caller } = request;
  if (!clusterId || !deps.auth.access.mayReach(caller, clusterId)) throw notFound('cluster', clusterId);
  requireNotHeldBack(deps.auth.access, caller, { clusterId });
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  const { userId: user, groups, extra } = caller;
  return deps.clients.get(clusterId).as({ user, groups, extra });
}

/** The context's cluster as the server itself: only to find out what has nothing to do with the caller's rights. */
export function asServer(request: ApiView): KubeClient {
  return request.deps.clients.get(clusterOf(request));
}
