/**
 * Groups of people who signed in elsewhere, read again every five minutes while they are signed in, and on demand: who left a
 * group there leaves it here without signing in anew. One replica does it for a user at a time, since what it asks with may
 * be good once. Who is no longer let in loses what he signed in with.
 */
import type { UserAttribute } from '@drover/api';
import { ignoreNotFound, StatusError, unauthorized } from '@drover/base';
import { type AuthDeps, nowOf } from '../auth/deps.ts';
import { revokeToken } from '../auth/tokens.ts';
import { controller } from '../resources/index.ts';
import { readConfig } from './auth-configs.ts';
import type { ProviderConfig } from './configured-provider.ts';
import { admitIdentity, keptOf, noteGroups, tokensBy } from './external-users.ts';
import { knownUser, lastingOf } from './lasting-ids.ts';
import { findConfigured } from './providers.ts';

const maxAgeMs = 5 * 60_000;

/** Asks every provider of the user that can be asked without him. Throws Unavailable where one can't be reached. */
export async function refreshUser(deps: AuthDeps, userId: string): Promise<void> {
  const attribute = deps.caches.userAttribute.get(userId);
  for (const name of Object.keys(attribute?.groupPrincipals ?? {})) {
    const config = readConfig(deps.caches, name);
    if (config?.enabled) await refreshWith(deps, userId, config);
  }
}

async function refreshWith(deps: AuthDeps, userId: string, config: ProviderConfig): Promise<void> {
  const provider = findConfigured(config.name);
  if (!provider?.refresh) return;
  try {
    const keep = await keptOf(deps, userId, config.name);
    const principalIds = deps.caches.user.get(userId)?.principalIds ?? [];
    const lasting = lastingOf(deps.caches, userId, config.name);
    const identity = await provider.refresh(config, { keep, principalIds, lasting });
    if (!identity) return;
    // An answer about somebody else is worth as much as none.
    if ((await knownUser(deps, config.name, identity))?.metadata.name !== userId) throw unauthorized();
    await admitIdentity(deps, config, identity);
  } catch (error) {
    const isOver = error instanceof StatusError && (error.status === 401 || error.status === 403);
    if (!isOver) throw error;
    await endSignIns(deps, userId, config.name);
  }
}

/** Asks for everybody's groups to be read again, by whichever replica comes first. */
export async function refreshEverybody(deps: AuthDeps): Promise<void> {
  for (const { metadata, groupPrincipals } of [...deps.caches.userAttribute.all()]) {
    if (Object.keys(groupPrincipals ?? {}).length === 0) continue;
    const change = deps.resources.modify('userAttribute', { name: metadata.name }, seen => ({
      ...seen,
      lastRefresh: '',
    }));
    await ignoreNotFound(change);
  }
}

/** The provider no longer vouches for him: tokens by it end, and its groups are nobody's word any more. */
async function endSignIns(deps: AuthDeps, userId: string, provider: string): Promise<void> {
  const tokens = tokensBy(deps.caches, userId, provider);
  for (const { metadata } of tokens) await revokeToken(deps, metadata.name);
  await noteGroups(deps, userId, { provider, groups: [] });
}

const isStale = (attribute: UserAttribute, now: number): boolean =>
  !(Date.parse(attribute.lastRefresh ?? '') > now - maxAgeMs);

/** Given what the tokens of the server are kept in; `now` for tests. */
export function groupRefresh(deps: AuthDeps) {
  return controller({
    name: 'group-refresh',
    for: 'userAttribute',
    async reconcile(attribute) {
      const { name } = attribute.metadata;
      const providers = Object.keys(attribute.groupPrincipals ?? {}).filter(each => findConfigured(each)?.refresh);
      if (providers.length === 0) return undefined;
      const isSignedIn = providers.some(each => tokensBy(deps.caches, name, each).length > 0);
      if (!isSignedIn || !isStale(attribute, nowOf(deps))) return { after: maxAgeMs / 2 };
      if (await claim(deps, name)) await refreshUser(deps, name);
      return { after: maxAgeMs };
    },
  });
}

/** Whether it is ours to do: whoever writes the time first does it. */
async function claim(deps: AuthDeps, userId: string): Promise<boolean> {
  const lastRefresh = `${new Date(nowOf(deps)).toISOString().slice(0, 19)}Z`;
  let ours = false;
  await deps.resources.modify('userAttribute', { name: userId }, seen => {
    ours = isStale(seen, nowOf(deps));
    return ours ? { ...seen, lastRefresh } : seen;
  });
  return ours;
}
