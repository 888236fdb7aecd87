/**
 * Lasting ids: what a directory itself knows an entry by, whatever it is called and wherever it stands. Principals name places (DNs), since
 * bindings and clients do; whoever is moved or renamed there is the same user here, and whoever stands where another stood is not.
 */
import type { User } from '@drover/api';
import type { AuthDeps } from '../auth/deps.ts';
import { bindingsOfPrincipal } from '../auth/grants.ts';
import type { Caches } from '../resources/index.ts';
import type { Identity } from './identity.ts';

const lastingIndex = 'lasting-id';
const principalIndex = 'principal-id';

/** Declares the indexes that are read here; once, before the first. */
export function indexIdentities(caches: Caches): void {
  caches.user.index(principalIndex, user => user.principalIds ?? []);
  caches.userAttribute.index(lastingIndex, ({ lastingIds }) =>
    Object.entries(lastingIds ?? {}).map(([provider, id]) => `${provider} ${id}`),
  );
}

export function findByPrincipal(caches: Caches, principalId: string): User | undefined {
  return caches.user.by(principalIndex, principalId).find(user => !user.metadata.deletionTimestamp);
}

/** What is known of the user from the provider; undefined where it has no such thing, or he has not come since it is noted. */
export const lastingOf = (caches: Caches, userId: string, provider: string): string | undefined =>
  caches.userAttribute.get(userId)?.lastingIds?.[provider];

function findByLasting(caches: Caches, provider: string, lasting: string): User | undefined {
  return caches.userAttribute
    .by(lastingIndex, `${provider} ${lasting}`)
    .map(({ metadata }) => caches.user.get(metadata.name))
    .find(user => user && !user.metadata.deletionTimestamp);
}

/** Who this is of the users there are, with his principal as it is now; undefined for somebody new. */
export async function knownUser(
  deps: AuthDeps,
  provider: string,
  { user: { id }, lasting }: Identity,
): Promise<User | undefined> {
  const there = findByPrincipal(deps.caches, id);
  if (lasting === undefined) return there;
  const same = findByLasting(deps.caches, provider, lasting);
  const name = there?.metadata.name;
  if (same && same.metadata.name === name) return there;
  const known = name === undefined ? undefined : lastingOf(deps.caches, name, provider);
  // Somebody stands there who is not the one that did: nothing of the other's is his.
  if (name !== undefined && (same || (known !== undefined && known !== lasting)))
    await leave(deps, name, { provider, id });
  else if (!same) return there;
  return same && moveTo(deps, same, { provider, id });
}

interface Principal {
  readonly provider: string;
  readonly id: string;
}

/** Takes the principal from the user, and leaves him what was given to him by it. */
async function leave(deps: AuthDeps, name: string, { provider, id }: Principal): Promise<void> {
  for (const { type, binding } of bindingsOfPrincipal(deps.caches, id)) {
    const place = { name: binding.metadata.name, namespace: binding.metadata.namespace };
    await deps.resources.modify(type, place, ({ userPrincipalName: _, ...seen }) => ({ ...seen, userName: name }));
  }
  await letIn(deps, provider, { from: [id], to: `local://${name}` });
  await deps.resources.modify('user', { name }, user => ({
    ...user,
    principalIds: (user.principalIds ?? []).filter(each => each !== id),
  }));
}

/** What was given to him by where he stood goes along; he has both names until all of it has, so that he loses nothing meanwhile. */
async function moveTo(
  deps: AuthDeps,
  { metadata: { name }, principalIds = [] }: User,
  { provider, id }: Principal,
): Promise<User> {
  const { resources, caches } = deps;
  const from = principalIds.filter(each => each.startsWith(`${provider}_user://`) && each !== id);
  await resources.modify('user', { name }, user => ({
    ...user,
    principalIds: [...new Set([...(user.principalIds ?? []), id])],
  }));
  for (const { type, binding } of from.flatMap(each => bindingsOfPrincipal(caches, each))) {
    const place = { name: binding.metadata.name, namespace: binding.metadata.namespace };
    await resources.modify(type, place, seen => ({ ...seen, userPrincipalName: id }));
  }
  await letIn(deps, provider, { from, to: id });
  return resources.modify('user', { name }, user => ({
    ...user,
    principalIds: (user.principalIds ?? []).filter(each => !from.includes(each)),
  }));
}

/** Who may sign in by being named there still may, by his other name. */
async function letIn(
  { resources, caches }: AuthDeps,
  provider: string,
  { from, to }: { readonly from: readonly string[]; readonly to: string },
): Promise<void> {
  if (!caches.authConfig.get(provider)?.allowedPrincipalIds?.some(each => from.includes(each))) return;
  await resources.modify('authConfig', { name: provider }, seen => ({
    ...seen,
    allowedPrincipalIds: [...new Set(seen.allowedPrincipalIds?.map(each => (from.includes(each) ? to : each)))],
  }));
}
