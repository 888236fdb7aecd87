/**
 * The local cluster below our own group: its documents are fetched as the caller and laid together with ours. While it is
 * away, is not there, or is not the caller's, ours stand alone.
 */
import { hasReason, isNotFound, isUnavailable, type StatusError } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ApiView } from '../api/behaviour.ts';
import { identityHeaders, requireNotHeldBack } from '../auth/index.ts';

export const localCluster = 'local';

/** Whether this server has a cluster of its own, there or away. */
export function hasLocal({ deps }: Pick<ApiView, 'deps'>): boolean {
  return deps.caches.cluster.get(localCluster) !== undefined;
}

function localAsCaller({ deps, caller }: ApiView): KubeClient | undefined {
  if (!hasLocal({ deps }) || !deps.auth.access.mayReach(caller, localCluster)) return undefined;
  requireNotHeldBack(deps.auth.access, caller, { clusterId: localCluster });
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  const { userId: user, groups, extra } = caller;
  return deps.clients.get(localCluster).as({ user, groups, extra });
}

const isAway = (error: unknown): error is StatusError =>
  isUnavailable(error) || isNotFound(error) || hasReason(error, 'Forbidden', 'NotAcceptable');

/** What the local cluster answers the caller there, or undefined where it can't be asked. */
export async function askLocal(view: ApiView, path: string, accept: string): Promise<unknown> {
  try {
    return await localAsCaller(view)?.request('GET', path, { headers: { accept } });
  } catch (error) {
    if (isAway(error)) return undefined;
    throw error;
  }
}

/** Posts to the local cluster as the caller; undefined where there is none of his. What it refuses is thrown. */
export async function postLocal(
  view: ApiView,
  path: string,
  sent: { readonly body: Uint8Array; readonly contentType: string },
): Promise<unknown> {
  return localAsCaller(view)?.request('POST', path, sent);
}
