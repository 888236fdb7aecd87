/**
 * Usernames are unique and stay as they are: signing in goes by them, so whoever could take another's would sign in as him or
 * lock him out. Each is claimed by a resource whose name is made of it, which the store lets exist once.
 */
import { hash } from 'node:crypto';
import type { User } from '@drover/api';
import { ignoreNotFound, invalid, isAlreadyExists, isConflict } from '@drover/base';
import type { Caches, Resources } from '../resources/index.ts';
import { type AuthDeps, nowOf } from './deps.ts';

const claimNamespace = 'cattle-local-usernames';
const claimType = 'management.cattle.io/username';
const usernameIndex = 'auth-username';
/** A claim without its user this long after it was made was left behind by a crash. */
const abandonedMs = 60_000;

/** Declares the index that findByUsername reads; once, before the first. */
export function indexUsernames(caches: Caches): void {
  caches.user.index(usernameIndex, user => [user.username ? folded(user.username) : undefined]);
}

/** The local user of this name, whatever its case. */
export function findByUsername(caches: Caches, username: string): User | undefined {
  return caches.user.by(usernameIndex, folded(username)).find(user => !user.metadata.deletionTimestamp);
}

/** Throws Invalid for a name that can't be one. */
export function requireGoodUsername(username: string): void {
  if (!/^[^\s\p{C}:]{1,255}$/u.test(username) || username !== username.normalize('NFKC'))
    throw invalid('username', 'must be 1 to 255 characters without spaces or ":"', 'InvalidCharacters');
}

/** Takes the name for the user; throws Invalid (NotUnique) where another has it. Taking it twice for one user is fine. */
export async function claimUsername(deps: AuthDeps, username: string, userId: string): Promise<void> {
  const { resources, caches } = deps;
  const taken = () => invalid('username', 'is already in use', 'NotUnique');
  const there = findByUsername(caches, username);
  if (there && there.metadata.name !== userId) throw taken();
  const place = { namespace: claimNamespace, name: claimName(username) };
  try {
    await resources.create('secret', { metadata: place, type: claimType, stringData: { userId } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const claim = await resources.find('secret', place.name, place.namespace);
    const holder = claim?.stringData?.['userId'];
    if (!claim || holder === userId) return claim ? undefined : claimUsername(deps, username, userId);
    const madeAt = Date.parse(claim.metadata.creationTimestamp ?? '') || 0;
    if ((await resources.find('user', holder ?? '-')) || Math.abs(nowOf(deps) - madeAt) < abandonedMs) throw taken();
    await resources.update('secret', { ...claim, stringData: { userId } }).catch(cause => {
      throw isConflict(cause) ? taken() : cause;
    });
  }
}

/** Gives the name up, if this user holds it. */
export async function releaseUsername(resources: Resources, username: string, userId: string): Promise<void> {
  const place = { namespace: claimNamespace, name: claimName(username) };
  const claim = await resources.find('secret', place.name, place.namespace);
  if (claim?.stringData?.['userId'] === userId)
    await ignoreNotFound(resources.delete('secret', { ...place, uid: claim.metadata.uid }));
}

function claimName(username: string): string {
  return `username-${hash('sha256', folded(username), 'hex').slice(0, 40)}`;
}

/** Names that a person would take for the same are the same. */
function folded(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}
