/** The container that is meant, from a query: names that can't lead anywhere else, and the way there as the caller himself. */
import { invalid, notFound } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ApiDeps } from '../api/behaviour.ts';
import { identityHeaders } from '../auth/impersonation.ts';
import type { Caller } from '../http/exchange.ts';

export interface ContainerTarget {
  readonly clusterId: string;
  readonly namespace: string;
  readonly pod: string;
  /** Empty: the pod's first. */
  readonly container: string;
}

const pattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Throws Invalid naming the parameter. */
export function readTarget(read: (name: string) => string | null): ContainerTarget {
  const name = (parameter: string): string => {
    const value = read(parameter) ?? '';
    if (!pattern.test(value)) throw invalid(parameter, 'must be a name as Kubernetes has them');
    return value;
  };
  const container = read('container') ?? '';
  return {
    clusterId: name('clusterId'),
    namespace: name('namespace'),
    pod: name('pod'),
    container: container === '' ? '' : name('container'),
  };
}

export const podPath = ({ namespace, pod }: ContainerTarget, rest = ''): string =>
  `/api/v1/namespaces/${namespace}/pods/${pod}${rest}`;

/**
 * A client of its own that asks as the caller; whoever takes it ends it. Throws NotFound where he is no member, ServiceUnavailable where
 * the cluster is away.
 */
export function clientFor({ auth, clients }: ApiDeps, caller: Caller, clusterId: string): KubeClient {
  const isOther = caller.clusterId !== undefined && caller.clusterId !== clusterId;
  if (isOther || !auth.access.mayReach(caller, clusterId)) throw notFound('cluster', clusterId);
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  const { userId: user, groups, extra } = caller;
  return clients.get(clusterId).impersonating({ user, groups, extra });
}
