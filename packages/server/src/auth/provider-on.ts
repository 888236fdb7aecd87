/** Whether what a provider vouched for still counts: as its configuration says, and always for one that has none to switch. */
import { isFeatureOn } from '../features.ts';
import type { Caches } from '../resources/index.ts';
import { providers } from './providers.ts';

export function isProviderOn(caches: Pick<Caches, 'authConfig'>, name: string | undefined): boolean {
  if (!name || name === 'local') return true;
  const config = caches.authConfig.get(name);
  return config ? config.enabled === true : providers.some(provider => provider.name === name);
}

/** Whether nobody may sign in with it now: the local one, where that is wished and there is another. */
export function isProviderHidden(caches: Pick<Caches, 'authConfig' | 'feature'>, name: string): boolean {
  if (name !== 'local' || !isFeatureOn(caches, 'hide-local-auth-provider')) return false;
  return [...caches.authConfig.all()].some(({ metadata, enabled }) => metadata.name !== 'local' && enabled === true);
}
