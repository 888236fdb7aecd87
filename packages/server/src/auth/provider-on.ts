/** Whether what a provider vouched for still counts: the local one's always, another's as long as it is enabled. */
import type { Caches } from '../resources/index.ts';

export function isProviderOn(caches: Pick<Caches, 'authConfig'>, name: string | undefined): boolean {
  return !name || name === 'local' || caches.authConfig.get(name)?.enabled === true;
}
