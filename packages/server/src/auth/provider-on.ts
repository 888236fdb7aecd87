/** Whether what a provider vouched for still counts: as its configuration says, and always for one that has none to switch. */
import type { Caches } from '../resources/index.ts';
import { providers } from './providers.ts';

export function isProviderOn(caches: Pick<Caches, 'authConfig'>, name: string | undefined): boolean {
  if (!name || name === 'local') return true;
  const config = caches.authConfig.get(name);
  return config ? config.enabled === true : providers.some(provider => provider.name === name);
}
