/**
 * The feature `pod-shell`: while it is off nobody runs commands in pods through this server, or attaches to what runs in them, whatever
 * his rights in the cluster. kubectl shells have a feature of their own.
 */
import { forbidden } from '@drover/base';
import { isFeatureOn } from '../features.ts';
import type { Caches } from '../resources/index.ts';

/** Both on a pod, and past it by the kubelet of its node. */
const pattern = /\/pods\/+[^/]+\/+(?:exec|attach)(?:\/|$)|\/nodes\/+[^/]+\/+proxy\/+(?:exec|attach|run)(?:\/|$)/;

/** Whether a path of a cluster's API, as it was sent, leads to a command in a pod; one that can't be decoded leads nowhere. */
export function isPodShell(path: string): boolean {
  try {
    return pattern.test(path.includes('%') ? decodeURIComponent(path) : path);
  } catch {
    return false;
  }
}

/** Throws Forbidden while it is off. */
export function requirePodShell(caches: Pick<Caches, 'feature'>): void {
  if (!isFeatureOn(caches, 'pod-shell')) throw forbidden('pod-shell feature is disabled');
}
