/** Whether what a provider vouched for still counts: for the local one always, for the others as their configurations say. */
import { isFeatureOn } from '../features.ts';
import type { Caches } from '../resources/index.ts';

export function isProviderOn(caches: Pick<Caches, 'authConfig'>, name: string | undefined): boolean {
  if (!name || name === 'local') return true;
  const config = caches.authConfig.get(name);
  return config?.enabled === true && !config.metadata.deletionTimestamp;
}

/** Whether nobody may sign in locally now: where that is wished and there is another way. */
export function isLocalHidden(caches: Pick<Caches, 'authConfig' | 'feature'>): boolean {
  if (!isFeatureOn(caches, 'hide-local-auth-provider')) return false;
  return [...caches.authConfig.all()].some(({ metadata, enabled }) => metadata.name !== 'local' && enabled === true);
}
