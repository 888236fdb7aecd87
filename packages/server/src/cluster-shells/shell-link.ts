/** The link that leads to a kubectl shell in a cluster, for whoever sees the cluster; none while the feature is off. */
import { isFeatureOn } from '../features.ts';
import type { Caches } from '../resources/index.ts';

export function shellLink(
  caches: Pick<Caches, 'feature'>,
  base: string,
  clusterId: string,
): { readonly shell?: string } {
  if (!isFeatureOn(caches, 'cluster-shell')) return {};
  return { shell: `${base.replace(/^http/, 'ws')}/v3/clusters/${clusterId}?shell=true` };
}
