/** The local provider: users whose passwords this server keeps. */
import { forbidden, unauthorized } from '@drover/base';
import type { AuthDeps } from './deps.ts';
import { type LoginDeps, passwordLogin } from './login.ts';
import type { LoginBody } from './login-body.ts';
import { checkPassword } from './passwords.ts';
import type { SignedIn, SignInProvider } from './provider.ts';
import { isLocalHidden } from './provider-on.ts';
import type { PublicRoutesDeps } from './public-routes.ts';
import { requireSecondFactor } from './second-factor.ts';
import { findByUsername } from './user-names.ts';

export const localProvider = { name: 'local', type: 'localProvider' } as const;

/** The local users as a way to sign in. */
export function localSignIn(deps: LoginDeps & Pick<PublicRoutesDeps, 'baseUrl'>): SignInProvider {
  return {
    ...localProvider,
    isOn: () => !isLocalHidden(deps.caches),
    shown: () => ({}),
    login: (exchange, body) =>
      passwordLogin(deps, exchange, {
        provider: 'local',
        body,
        prove: () => proveLocal(deps, body, new URL(deps.baseUrl(exchange.request)).origin),
      }),
  };
}

/** Throws Unauthorized, in the same time and words whatever was wrong, or Forbidden for a disabled user. */
export async function proveLocal(
  deps: AuthDeps,
  given: Pick<LoginBody, 'username' | 'password' | 'otp' | 'securityKey'>,
  origin: string,
): Promise<SignedIn> {
  const user = findByUsername(deps.caches, given.username);
  const good = await checkPassword(deps.resources, user?.metadata.name, given.password);
  if (!user || !good) throw unauthorized('authentication failed', { code: 'Unauthorized' });
  // Only who knows the password learns that the user is disabled.
  if (user.enabled === false) throw forbidden('user is not enabled', { code: 'PermissionDenied' });
  await requireSecondFactor(deps, user.metadata.name, { ...given, origin });
  return { user, principalId: `local://${user.metadata.name}` };
}
