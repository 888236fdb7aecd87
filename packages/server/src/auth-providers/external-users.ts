/**
 * Users who come from elsewhere: found by the principal, or made for it under a name that follows from it, so that two
 * replicas make one user. What his provider says of him is kept beside him.
 */
import { hash } from 'node:crypto';
import type { Token, User } from '@drover/api';
import { forbidden, ignoreNotFound, isAlreadyExists, isConflict } from '@drover/base';
import { type AuthDeps, nowOf } from '../auth/deps.ts';
import type { Caches } from '../resources/index.ts';
import { requireLetIn } from './access-mode.ts';
import type { Keep, ProviderConfig } from './configured-provider.ts';
import type { Identity } from './identity.ts';
import { indexIdentities, knownUser } from './lasting-ids.ts';

const tokenIndex = 'user-of-token';
const keepNamespace = 'cattle-system';

/** Declares the indexes that are read here; once, before the first. */
export function indexPrincipals(caches: Caches): void {
  indexIdentities(caches);
  caches.token.index(tokenIndex, token => (token.userId ? [token.userId] : []));
}

/** Tokens of the user that the provider vouched for. */
export function tokensBy(caches: Caches, userId: string, provider: string): Token[] {
  return caches.token.by(tokenIndex, userId).filter(token => token.authProvider === provider);
}

/** The user behind an identity, let in by his provider's access mode, with groups as they are now. Throws Forbidden else. */
export async function admitIdentity(deps: AuthDeps, config: ProviderConfig, identity: Identity): Promise<User> {
  const known = await knownUser(deps, config.name, identity);
  // He may be let in by another name since.
  const { allowedPrincipalIds = config.allowedPrincipalIds } = deps.caches.authConfig.get(config.name) ?? {};
  requireLetIn(deps.caches, { ...config, allowedPrincipalIds }, { identity, userId: known?.metadata.name });
  const user = known ?? (await makeExternalUser(deps, identity.user, identity.lasting));
  if (user.enabled === false) throw forbidden('user is not enabled', { code: 'PermissionDenied' });
  const groups = identity.groups.map(group => group.id);
  await noteGroups(deps, user.metadata.name, { provider: config.name, groups, lasting: identity.lasting });
  if (identity.keep) await storeKeep(deps, user.metadata.name, { provider: config.name, keep: identity.keep });
  return user;
}

/** Makes the user that a principal stands for, with the rights that everybody new gets. */
export async function makeExternalUser(
  deps: AuthDeps,
  user: { readonly id: string; readonly displayName: string },
  lasting?: string,
): Promise<User> {
  const own = nameFor(user.id);
  // The user that was made for whoever stood there before stays his.
  const isTaken = deps.caches.user.get(own)?.principalIds?.includes(user.id) === false;
  const id = isTaken && lasting !== undefined ? nameFor(`${user.id} ${lasting}`) : own;
  // Rights before the user: one who stands is whole.
  for (const role of deps.caches.globalRole.all()) {
    if (role.newUserDefault !== true || role.metadata.deletionTimestamp) continue;
    const name = `grb-${hash('sha256', `${id} ${role.metadata.name}`, 'hex').slice(0, 10)}`;
    const made = deps.resources.create('globalRoleBinding', {
      metadata: { name },
      globalRoleName: role.metadata.name,
      userName: id,
    });
    await made.catch(error => {
      if (!isThere(error)) throw error;
    });
  }
  const draft = {
    metadata: { name: id },
    displayName: user.displayName,
    enabled: true,
    mustChangePassword: false,
    principalIds: [`local://${id}`, user.id],
  };
  try {
    return await deps.resources.create('user', draft);
  } catch (error) {
    if (!isThere(error)) throw error;
    const there = await deps.resources.get('user', id);
    if (!there.principalIds?.includes(user.id)) throw error;
    return there;
  }
}

/** Of two that make one thing at once, the slower finds it there already, or just written. */
const isThere = (error: unknown): boolean => isAlreadyExists(error) || isConflict(error);

/** Replaces what one provider said of the user's groups; what others said stays. */
export async function noteGroups(
  deps: AuthDeps,
  userId: string,
  {
    provider,
    groups,
    lasting,
  }: { readonly provider: string; readonly groups: readonly string[]; readonly lasting?: string | undefined },
): Promise<void> {
  const own = { [provider]: groups };
  const lastingIds = lasting === undefined ? {} : { [provider]: lasting };
  const lastRefresh = `${new Date(nowOf(deps)).toISOString().slice(0, 19)}Z`;
  const draft = { metadata: { name: userId }, groupPrincipals: own, lastingIds, lastRefresh };
  await deps.resources.put('userAttribute', draft, seen => {
    // Of many sign-ins at once one writes what all of them saw.
    const known = seen.groupPrincipals?.[provider];
    const isFresh = Date.parse(seen.lastRefresh ?? '') > nowOf(deps) - 10_000;
    const isNoted = lasting === undefined || seen.lastingIds?.[provider] === lasting;
    if (isFresh && isNoted && known && JSON.stringify(known) === JSON.stringify(groups)) return undefined;
    return {
      ...seen,
      groupPrincipals: { ...seen.groupPrincipals, ...own },
      lastingIds: { ...seen.lastingIds, ...lastingIds },
      lastRefresh,
    };
  });
}

const nameFor = (of: string): string => `u-${base32(hash('sha256', of, 'buffer')).slice(0, 10)}`;

const keepName = (userId: string, provider: string): string => `${userId}-${provider}-sign-in`;

async function storeKeep(deps: AuthDeps, userId: string, of: { provider: string; keep: Keep }): Promise<void> {
  const metadata = { namespace: keepNamespace, name: keepName(userId, of.provider) };
  const stringData = { ...of.keep };
  await deps.resources.put('secret', { metadata, type: 'Opaque', stringData }, seen => ({ ...seen, stringData }));
}

/** What the user's last sign-in with the provider left to ask again with. */
export async function keptOf(deps: AuthDeps, userId: string, provider: string): Promise<Keep> {
  const secret = await deps.resources.find('secret', keepName(userId, provider), keepNamespace);
  return secret?.stringData ?? {};
}

/** Takes away what sign-ins with the provider left. */
export async function dropKept(deps: Pick<AuthDeps, 'resources'>, userId: string, provider: string): Promise<void> {
  await ignoreNotFound(deps.resources.delete('secret', { namespace: keepNamespace, name: keepName(userId, provider) }));
}

/** RFC 4648's, in lower case and without padding, as the original names its users. */
function base32(bytes: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += alphabet[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? out + alphabet[(value << (5 - bits)) & 31] : out;
}
