/** Objects that the cluster's owner gave along, as one addon. */
import { parseManifest } from '@drover/kube';
import type { ClusterSpec } from '../config/spec.ts';
import type { Addon } from '../plan/addon.ts';

/** Throws Invalid naming what can't be read. */
export async function userAddons({ addons }: ClusterSpec): Promise<Addon[]> {
  const resources = (await Promise.all(addons.map(text => parseManifest(text)))).flat();
  return resources.length === 0 ? [] : [{ name: 'rke-user-addon', resources }];
}
