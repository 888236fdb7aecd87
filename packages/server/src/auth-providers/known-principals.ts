/**
 * People and groups elsewhere, as somebody here types their names: asked of the provider where it can be asked, found among
 * those who have been here, and at last taken as typed, since most providers have no directory to look into.
 */
import type { AuthDeps } from '../auth/deps.ts';
import type { Principal } from '../auth/principals.ts';
import type { Caller } from '../http/exchange.ts';
import { readConfig } from './auth-configs.ts';
import type { ProviderConfig } from './configured-provider.ts';
import { keptOf } from './external-users.ts';
import { isGoodName, type KnownPrincipal } from './identity.ts';
import { findByPrincipal } from './lasting-ids.ts';
import { configuredProviders, findConfigured } from './providers.ts';

export interface PrincipalSearch {
  readonly name: string;
  readonly principalType?: string;
}

const mostFound = 50;

/** From every provider that is on; one that can't be asked now is left out, so that the others are found. */
export async function searchElsewhere(deps: AuthDeps, caller: Caller, search: PrincipalSearch): Promise<Principal[]> {
  const name = search.name.trim();
  if (!isGoodName(name)) return [];
  const configs = configuredProviders
    .map(provider => readConfig(deps.caches, provider.name))
    .filter(config => config?.enabled === true);
  const lists = await Promise.all(
    configs.map(config => searchOne(deps, caller, { config: config!, search: { ...search, name } })),
  );
  return lists.flat();
}

async function searchOne(
  deps: AuthDeps,
  caller: Caller,
  { config, search }: { readonly config: ProviderConfig; readonly search: PrincipalSearch },
): Promise<Principal[]> {
  const provider = findConfigured(config.name)!;
  if (provider.search) {
    const keep = await keptOf(deps, caller.userId, config.name);
    const found = await provider.search(config, keep, search).catch(() => []);
    return found.slice(0, mostFound * 2).map(principal => asPrincipal(principal, caller));
  }
  const known = knownHere(deps, config.name, search);
  const typed = ['user', 'group']
    .filter(type => !search.principalType || search.principalType === type)
    .map(type => `${config.name}_${type}://${search.name}`)
    .filter(id => !known.some(principal => principal.id === id))
    .map(id => principalOfId(deps, id)!);
  return [...known, ...typed].map(principal => asPrincipal(principal, caller));
}

function knownHere({ caches }: AuthDeps, provider: string, search: PrincipalSearch): KnownPrincipal[] {
  const text = search.name.toLowerCase();
  const found = new Map<string, KnownPrincipal>();
  const add = (id: string, name: string) => {
    const type = /^[a-z]+_([a-z]+):\/\//.exec(id)?.[1] === 'user' ? 'user' : 'group';
    const wanted = !search.principalType || search.principalType === type;
    if (!wanted || found.size >= mostFound || !name.toLowerCase().includes(text)) return;
    found.set(id, { id, displayName: name, loginName: name, principalType: type, provider });
  };
  for (const user of caches.user.all())
    for (const id of user.principalIds ?? []) if (id.startsWith(`${provider}_user://`)) add(id, user.displayName ?? id);
  for (const { groupPrincipals } of caches.userAttribute.all())
    for (const id of groupPrincipals?.[provider] ?? []) add(id, id.slice(id.indexOf('://') + 3));
  return [...found.values()];
}

/** The principal of that id, of a provider that is on and knows it as far as it can be asked; undefined where it can't be one. */
export async function principalElsewhere(deps: AuthDeps, caller: Caller, id: string): Promise<Principal | undefined> {
  const known = principalOfId(deps, id);
  const config = known && readConfig(deps.caches, known.provider);
  if (!config?.enabled) return undefined;
  const { find } = findConfigured(config.name)!;
  const found = find ? await find(config, id) : known;
  return found && asPrincipal(found, caller);
}

function principalOfId({ caches }: AuthDeps, id: string): KnownPrincipal | undefined {
  const [, provider = '', type = '', name = ''] = /^([a-z]+)_(user|group|org|team):\/\/(.+)$/.exec(id) ?? [];
  if (!findConfigured(provider) || !isGoodName(name)) return undefined;
  const displayName = type === 'user' ? (findByPrincipal(caches, id)?.displayName ?? name) : name;
  return { id, displayName, loginName: name, principalType: type === 'user' ? 'user' : 'group', provider };
}

function asPrincipal({ displayName, organisation: _, ...known }: KnownPrincipal, caller: Caller): Principal {
  return {
    ...known,
    name: displayName,
    loginName: known.loginName ?? '',
    me: caller.extra['principalid']?.includes(known.id) ?? false,
    memberOf: caller.groups.includes(known.id),
  };
}
