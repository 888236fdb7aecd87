/** Sign-in and access, put together: what the server's main opens once, after the caches are in step. */
import type { IncomingMessage } from 'node:http';
import type { Log } from '@drover/base';
import { elsewhereOf } from '../auth-providers/elsewhere.ts';
import { indexPrincipals } from '../auth-providers/external-users.ts';
import type { RedirectSignIn } from '../auth-providers/redirect-routes.ts';
import { directories } from '../directories/index.ts';
import { type AddressOf, connectedAddress } from '../http/client-address.ts';
import type { Authenticate, Route } from '../http/exchange.ts';
import { scimRoutes } from '../scim/route.ts';
import { type Access, createAccess } from './access.ts';
import { Authenticator } from './authenticate.ts';
import type { AuthDeps } from './deps.ts';
import { createResolveIdentity, type ResolveIdentity } from './impersonation.ts';
import { localSignIn } from './local-provider.ts';
import { LoginLimits } from './login-limits.ts';
import { publicRoutes } from './public-routes.ts';
import type { Removals } from './removals.ts';
import { secondFactorRoutes } from './second-factor-route.ts';
import { Sessions } from './sessions.ts';
import { TokenUse } from './token-use.ts';
import { indexUsernames } from './user-names.ts';

export * from './access.ts';
export { Authenticator, isInScope } from './authenticate.ts';
export { type Bootstrapped, bootstrapAdmin } from './bootstrap.ts';
export { guardCsrf } from './csrf.ts';
export type { AuthDeps, SettingsReader } from './deps.ts';
export * from './escalation.ts';
export * from './impersonation.ts';
export { inactiveUsers } from './inactive-users.ts';
export { logout } from './logout.ts';
export { isBrowser, isCrossSite, requireSameOrigin } from './origin.ts';
export * from './principals.ts';
export { openRemovals, type Removals } from './removals.ts';
export { Sessions } from './sessions.ts';
export * from './tokens.ts';
export { userCleanup } from './user-cleanup.ts';
export * from './users.ts';

export interface Auth {
  readonly access: Access;
  readonly authenticate: Authenticate;
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  readonly resolveIdentity: ResolveIdentity;
  /** Signing in with providers that people are sent to. */
  readonly redirect: RedirectSignIn;
  /** Signing in and out. */
  readonly routes: Route[];
}

export interface OpenAuthOptions {
  readonly baseUrl: (request: IncomingMessage) => string;
  /** Whose sign-ins are counted together; who connected by default. */
  readonly addressOf?: AddressOf;
  readonly log: Log;
  /** What clusters have not confirmed yet to be gone; a server has them. */
  readonly removals?: Removals;
  /** Ends it: the use of tokens is then written once more. */
  readonly signal: AbortSignal;
}

/** Opens sign-in and access over caches that are being kept in step; ends with the signal. */
export function openAuth(deps: AuthDeps, options: OpenAuthOptions): Auth {
  const { baseUrl, addressOf = connectedAddress, log, signal } = options;
  indexUsernames(deps.caches);
  indexPrincipals(deps.caches);
  const access = createAccess(deps.caches, signal, { removals: options.removals });
  const use = new TokenUse(deps);
  const authenticator = new Authenticator(deps, { use });
  const sessions = new Sessions({ caches: deps.caches, access, removals: options.removals, now: deps.now }, signal);
  void use.run(signal, log);
  signal.addEventListener('abort', () => directories.close(), { once: true });
  const login = { ...deps, access, authenticator, limits: new LoginLimits(), addressOf, baseUrl };
  const elsewhere = elsewhereOf(login);
  return {
    access,
    authenticate: authenticator.authenticate,
    authenticator,
    sessions,
    resolveIdentity: createResolveIdentity(access),
    redirect: elsewhere.signIn,
    routes: [
      ...publicRoutes({ ...login, providers: [localSignIn(login), ...elsewhere.providers] }),
      ...elsewhere.routes,
      ...secondFactorRoutes(login),
      ...scimRoutes(login),
    ],
  };
}
