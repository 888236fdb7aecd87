/** Whom a provider lets in: everybody it knows, those who are members of something here, or those who are named alone. */
import { forbidden } from '@drover/base';
import { gatherGrants } from '../auth/grants.ts';
import type { Caches } from '../resources/index.ts';
import type { ProviderConfig } from './configured-provider.ts';
import type { Identity } from './identity.ts';

/** Throws Forbidden for who is not let in. `userId` where he has been here before. */
export function requireLetIn(
  caches: Caches,
  config: Pick<ProviderConfig, 'accessMode' | 'allowedPrincipalIds'>,
  who: { readonly identity: Identity; readonly userId: string | undefined },
): void {
  const { user, groups } = who.identity;
  if (config.accessMode === 'unrestricted') return;
  const principals = who.userId === undefined ? [] : (caches.user.get(who.userId)?.principalIds ?? []);
  const ids = [user.id, ...principals, ...groups.map(group => group.id)];
  if (ids.some(id => config.allowedPrincipalIds.includes(id))) return;
  if (config.accessMode === 'restricted' && isMember(caches, { userId: who.userId ?? '', identity: who.identity, ids }))
    return;
  throw forbidden('your account is not among those that may sign in here', { code: 'PermissionDenied' });
}

function isMember(
  caches: Caches,
  who: { readonly userId: string; readonly identity: Identity; ids: readonly string[] },
): boolean {
  const groups = who.identity.groups.map(group => group.id);
  const { clusters, projects } = gatherGrants(caches, { userId: who.userId, groups, principalIds: who.ids });
  return clusters.size > 0 || projects.size > 0;
}
