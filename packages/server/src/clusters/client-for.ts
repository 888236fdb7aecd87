/** A way into a cluster as the caller himself, on connections of his own: for what takes upgrades, or outlives a request. */
import { notFound } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ApiDeps } from '../api/behaviour.ts';
import { requireNotHeldBack } from '../auth/access.ts';
import { identityHeaders } from '../auth/impersonation.ts';
import type { Caller } from '../http/exchange.ts';

/**
 * A client that asks as the caller; whoever takes it ends it. Throws NotFound where he is no member, ServiceUnavailable where
 * the cluster is away.
 */
export function clientFor(deps: ApiDeps, caller: Caller, clusterId: string): KubeClient {
  requireMember(deps, caller, clusterId);
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  const { userId: user, groups, extra } = caller;
  return deps.clients.get(clusterId).impersonating({ user, groups, extra });
}

/** Throws NotFound where he is no member, Forbidden while the cluster may still grant him what he has lost. */
export function requireMember({ auth }: Pick<ApiDeps, 'auth'>, caller: Caller, clusterId: string): void {
  const isOther = caller.clusterId !== undefined && caller.clusterId !== clusterId;
  if (isOther || !auth.access.mayReach(caller, clusterId)) throw notFound('cluster', clusterId);
  requireNotHeldBack(auth.access, caller, { clusterId });
}
