/** The local provider: users whose passwords this server keeps. */
import { forbidden, unauthorized } from '@drover/base';
import { checkPassword } from './passwords.ts';
import type { Provider } from './provider.ts';
import { requireSecondFactor } from './second-factor.ts';
import { findByUsername } from './user-names.ts';

export const localProvider: Provider = {
  name: 'local',
  type: 'localProvider',
  async signIn(deps, given) {
    const user = findByUsername(deps.caches, given.username);
    const good = await checkPassword(deps.resources, user?.metadata.name, given.password);
    if (!user || !good) throw unauthorized('authentication failed', { code: 'Unauthorized' });
    // Only who knows the password learns that the user is disabled.
    if (user.enabled === false) throw forbidden('user is not enabled', { code: 'PermissionDenied' });
    await requireSecondFactor(deps, user.metadata.name, given.otp);
    return { user, principalId: `local://${user.metadata.name}` };
  },
};
