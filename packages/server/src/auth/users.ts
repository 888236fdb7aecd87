/**
 * What is done to users: made, changed, given passwords, removed. Every function checks what the type alone can't: names that
 * stay, people who would lock themselves out, users with more rights than the caller.
 */
import type { SecretResource, User } from '@drover/api';
import { forbidden, ignoreNotFound, invalid, isAlreadyExists, notFound, randomName } from '@drover/base';
import type { Caller } from '../http/exchange.ts';
import type { Access } from './access.ts';
import type { AuthDeps, SettingsReader } from './deps.ts';
import { requireMayActOn } from './escalation.ts';
import { checkPassword, requireGoodPassword, storePassword } from './passwords.ts';
import { kindOf } from './token-life.ts';
import { revokeToken } from './tokens.ts';
import { claimUsername, requireGoodUsername } from './user-names.ts';

export interface UsersDeps extends AuthDeps {
  readonly access: Access;
  readonly settings: SettingsReader & { set(name: string, value: string): Promise<unknown> };
}

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly enabled?: boolean;
  readonly mustChangePassword?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Generated when absent; given, a second create for the same id answers the user that is there. */
  readonly id?: string;
}

/** Makes a local user with no rights at all; throws Invalid naming the field (`username` taken: NotUnique). */
export async function createUser(deps: AuthDeps, draft: NewUser): Promise<User> {
  requireGoodUsername(draft.username);
  requireGoodPassword(deps.settings, { password: draft.password, username: draft.username, field: 'password' });
  const id = draft.id ?? `u-${randomName(5)}`;
  // The name first, the user last: a crash between leaves nothing that anybody could sign in with.
  await claimUsername(deps, draft.username, id);
  await storePassword(deps.resources, id, draft.password);
  return createUserRecord(deps, { ...draft, id });
}

/** The last step of createUser: for who has put name and password in place himself. */
export async function createUserRecord(
  deps: AuthDeps,
  draft: Omit<NewUser, 'password'> & { readonly id: string },
): Promise<User> {
  const { id } = draft;
  try {
    return await deps.resources.create('user', {
      metadata: { name: id, labels: draft.labels, annotations: draft.annotations },
      username: draft.username,
      ...(draft.displayName === undefined ? {} : { displayName: draft.displayName }),
      ...(draft.description === undefined ? {} : { description: draft.description }),
      enabled: draft.enabled ?? true,
      mustChangePassword: draft.mustChangePassword ?? false,
      principalIds: [`local://${id}`],
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const there = await deps.resources.get('user', id);
    if (there.username !== draft.username) throw error;
    return there;
  }
}

export interface UserChange {
  readonly displayName?: string;
  readonly description?: string;
  readonly enabled?: boolean;
  readonly mustChangePassword?: boolean;
}

/** Changes what of a user can be changed: never his username or principals. */
export async function updateUser(deps: UsersDeps, caller: Caller, change: UserChange & { id: string }): Promise<User> {
  const { id, displayName, description, enabled, mustChangePassword } = change;
  const user = requireVisible(await deps.resources.get('user', id));
  if (user.metadata.name === caller.userId && enabled === false)
    throw invalid('enabled', "you can't disable yourself", 'InvalidAction');
  if (user.metadata.name === caller.userId && user.mustChangePassword && mustChangePassword === false)
    throw invalid('mustChangePassword', 'ends when you change your password', 'InvalidAction');
  if (id !== caller.userId) requireMayActOn(deps, caller, id);
  // These and no other: what else a caller's object holds, a username above all, is not written.
  const wanted = { displayName, description, enabled, mustChangePassword };
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return deps.resources.modify('user', { name: id }, seen => ({ ...seen, ...given }));
}

/** Deletes the user; what is his (tokens, bindings, password) goes by the user-cleanup controller. */
export async function deleteUser(deps: UsersDeps, caller: Caller, id: string): Promise<void> {
  requireVisible(await deps.resources.get('user', id));
  if (id === caller.userId) throw invalid('id', "you can't delete yourself", 'InvalidAction');
  requireMayActOn(deps, caller, id);
  await deps.resources.delete('user', { name: id });
}

/** Sets another's (or one's own) password as an admin does, and ends his sign-ins. Answers the user. */
export async function setPassword(
  deps: UsersDeps,
  caller: Caller,
  change: { readonly id: string; readonly newPassword: string },
): Promise<User> {
  const user = requireLocal(requireVisible(await deps.resources.get('user', change.id)));
  requireMayActOn(deps, caller, change.id);
  const { username = '' } = user;
  requireGoodPassword(deps.settings, { password: change.newPassword, username, field: 'newPassword' });
  return replacePassword(deps, caller, { user, password: change.newPassword });
}

/** Changes the caller's own password; throws Invalid where the current one is not right or the new one is the same. */
export async function changePassword(
  deps: UsersDeps,
  caller: Caller,
  change: { readonly currentPassword: string; readonly newPassword: string },
): Promise<void> {
  const user = requireLocal(await deps.resources.get('user', caller.userId));
  const { currentPassword, newPassword } = change;
  if (!(await checkPassword(deps.resources, caller.userId, currentPassword)))
    throw invalid('currentPassword', 'is not your current password', 'InvalidBodyContent');
  if (newPassword === currentPassword)
    throw invalid('newPassword', 'must differ from the current one', 'InvalidBodyContent');
  requireGoodPassword(deps.settings, { password: newPassword, username: user.username ?? '', field: 'newPassword' });
  await replacePassword(deps, caller, { user, password: newPassword });
}

/** Who the first admin is, and his generated password as long as it has not been changed. */
export const bootstrapSecret = { namespace: 'cattle-system', name: 'bootstrap-secret' } as const;

async function replacePassword(
  deps: UsersDeps,
  caller: Caller,
  change: { readonly user: User; readonly password: string },
): Promise<User> {
  const { name } = change.user.metadata;
  await storePassword(deps.resources, name, change.password);
  const user = await deps.resources.modify('user', { name }, seen =>
    seen.mustChangePassword ? { ...seen, mustChangePassword: false } : undefined,
  );
  await endSessions(deps, name, caller.tokenId);
  await forgetBootstrapPassword(deps, name);
  if (deps.settings.get('first-login') !== 'false') await deps.settings.set('first-login', 'false');
  return user;
}

async function forgetBootstrapPassword({ resources }: AuthDeps, userId: string): Promise<void> {
  const forget = (secret: SecretResource): SecretResource | undefined => {
    const { bootstrapPassword, ...rest } = secret.stringData ?? {};
    return bootstrapPassword && rest['userId'] === userId ? { ...secret, stringData: rest } : undefined;
  };
  await ignoreNotFound(resources.modify('secret', bootstrapSecret, forget));
}

/** Whoever knew the old password may be signed in with it: only the session that changed it goes on. */
async function endSessions(deps: AuthDeps, userId: string, keepTokenId: string): Promise<void> {
  for (const token of [...deps.caches.token.all()]) {
    const { name } = token.metadata;
    if (token.userId === userId && name !== keepTokenId && kindOf(token) === 'session') await revokeToken(deps, name);
  }
}

/** Users that stand for parts of the system: no API shows or changes them. */
export function isSystemUser(user: User): boolean {
  return user.principalIds?.some(id => id.startsWith('system://')) ?? false;
}

function requireVisible(user: User): User {
  if (isSystemUser(user)) throw notFound('user', user.metadata.name);
  return user;
}

function requireLocal(user: User): User {
  if (!user.username) throw forbidden('only local users have a password here');
  return user;
}

/** The caller's own user; he was signed in from it. */
export function meOf(deps: AuthDeps, caller: Caller): User {
  const user = deps.caches.user.get(caller.userId);
  if (!user) throw notFound('user', caller.userId);
  return user;
}
