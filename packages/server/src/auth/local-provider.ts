/** The local provider: users whose passwords this server keeps. */
import type { User } from '@drover/api';
import { forbidden, unauthorized } from '@drover/base';
import type { AuthDeps } from './deps.ts';
import { checkPassword } from './passwords.ts';
import { findByUsername } from './user-names.ts';

/** The user of this name and password. Throws Unauthorized, in the same time and words whichever is wrong, or Forbidden for a disabled user. */
export async function signInLocally(
  deps: AuthDeps,
  given: { readonly username: string; readonly password: string },
): Promise<User> {
  const user = findByUsername(deps.caches, given.username);
  const good = await checkPassword(deps.resources, user?.metadata.name, given.password);
  if (!user || !good) throw unauthorized('authentication failed', { code: 'Unauthorized' });
  // Only who knows the password learns that the user is disabled.
  if (user.enabled === false) throw forbidden('user is not enabled', { code: 'PermissionDenied' });
  return user;
}
