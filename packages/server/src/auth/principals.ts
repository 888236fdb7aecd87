/** Principals: users as a sign-in provider knows them, found by id or by the beginning of a name. */
import type { User } from '@drover/api';
import { notFound } from '@drover/base';
import type { Caller } from '../http/exchange.ts';
import type { Caches } from '../resources/index.ts';
import { isSystemUser } from './users.ts';

/** As v3 shows it. */
export interface Principal {
  /** `local://u-abcde`. */
  readonly id: string;
  readonly name: string;
  readonly loginName: string;
  readonly provider: string;
  readonly principalType: 'user' | 'group';
  readonly me: boolean;
  readonly memberOf: boolean;
}

const prefix = 'local://';
const mostFound = 100;

/** The caller's own principal, and his groups. */
export function ownPrincipals(caches: Caches, caller: Caller): Principal[] {
  const user = caches.user.get(caller.userId);
  return [...(user ? [principalOf(user, caller)] : []), ...caller.groups.filter(isProviderGroup).map(groupPrincipal)];
}

/** The principal of this id; throws NotFound. */
export function principalById(caches: Caches, caller: Caller, id: string): Principal {
  if (caller.groups.includes(id) && isProviderGroup(id)) return groupPrincipal(id);
  const user = id.startsWith(prefix) ? caches.user.get(id.slice(prefix.length)) : undefined;
  if (!user || isSystemUser(user)) throw notFound('principal', id);
  return principalOf(user, caller);
}

/** Users whose username, display name or id begins with the text, case ignored; at most 100. Local groups there are none. */
export function searchPrincipals(
  caches: Caches,
  caller: Caller,
  search: { readonly name: string; readonly principalType?: string },
): Principal[] {
  const text = search.name.trim().toLowerCase();
  if (text === '' || search.principalType === 'group') return [];
  const found: Principal[] = [];
  for (const user of caches.user.all()) {
    if (isSystemUser(user) || user.metadata.deletionTimestamp || !begins(user, text)) continue;
    found.push(principalOf(user, caller));
    if (found.length >= mostFound) break;
  }
  return found;
}

export function principalOf(user: User, caller: Pick<Caller, 'userId'>): Principal {
  const { name } = user.metadata;
  return {
    id: `${prefix}${name}`,
    name: user.displayName || user.username || name,
    loginName: user.username ?? '',
    provider: 'local',
    principalType: 'user',
    me: name === caller.userId,
    memberOf: false,
  };
}

function groupPrincipal(id: string): Principal {
  const [provider = '', name = id] = id.split('://');
  return {
    id,
    name,
    loginName: '',
    provider: provider.replace(/_[a-z]+$/, ''),
    principalType: 'group',
    me: false,
    memberOf: true,
  };
}

function isProviderGroup(group: string): boolean {
  return group.includes('://');
}

function begins(user: User, text: string): boolean {
  return [user.username, user.displayName, user.metadata.name].some(name => name?.toLowerCase().startsWith(text));
}
