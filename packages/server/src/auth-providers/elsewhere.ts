/** Signing in elsewhere, put together: its doors, and how its providers are shown and used among the public ones. */
import { forbidden, notFound } from '@drover/base';
import type { Authenticator } from '../auth/authenticate.ts';
import { subjectsOfUser } from '../auth/escalation.ts';
import { answerLogin, type LoginDeps } from '../auth/login.ts';
import { readLoginBody } from '../auth/login-body.ts';
import { isCrossSite } from '../auth/origin.ts';
import type { PublicRoutesDeps, SignInElsewhere } from '../auth/public-routes.ts';
import type { Route } from '../http/exchange.ts';
import { sendJson } from '../http/send-json.ts';
import { enableConfig, readConfig } from './auth-configs.ts';
import { cliRoutes } from './cli-routes.ts';
import { admitIdentity } from './external-users.ts';
import { redirectProviders } from './redirect-providers.ts';
import { RedirectSignIn, redirectRoutes } from './redirect-routes.ts';

export interface Elsewhere extends SignInElsewhere {
  readonly signIn: RedirectSignIn;
  readonly routes: Route[];
}

type Deps = LoginDeps & Pick<PublicRoutesDeps, 'baseUrl'> & { readonly authenticator: Authenticator };

export function elsewhereOf(deps: Deps): Elsewhere {
  const { caches } = deps;
  const configOf = async (name: string) => readConfig(caches, name);
  const redirectDeps = { ...deps, configOf };
  const signIn = new RedirectSignIn(redirectDeps);
  signIn.onEnabled = async (config, userId, identity) => {
    const caller = { ...subjectsOfUser(caches, userId), username: '', tokenId: '', via: 'cookie' as const };
    // Who began it may have lost the right since.
    if (!deps.access.may(caller, 'update', 'authConfig', { name: config.name }))
      throw forbidden(`you may not change authConfig "${config.name}"`);
    return enableConfig(deps, config, { userId, identity });
  };
  const all = redirectProviders.map(({ name, providerType }) => ({ name, type: providerType }));
  const isOn = (name: string) => readConfig(caches, name)?.enabled === true;
  const choices = (returnTo: string) =>
    all
      .filter(({ name }) => isOn(name))
      .map(({ name }) => ({ name, address: `/v1-auth/${name}?returnTo=${encodeURIComponent(returnTo)}` }))
      .concat({ name: 'local', address: `/ui/sign-in?to=${encodeURIComponent(returnTo)}` });
  return {
    all,
    isOn,
    signIn,
    routes: [...redirectRoutes(redirectDeps, signIn), ...cliRoutes({ ...redirectDeps, signIn, choices })],
    shown: (name, base) => ({ redirectUrl: `${base}/v1-auth/${name}` }),
    async login(exchange, name) {
      const { request, response } = exchange;
      if (isCrossSite(request)) throw forbidden('sign-in from a page of another site is not allowed');
      const body = await readLoginBody(request);
      const config = await configOf(name);
      if (!config?.enabled) throw notFound('authProvider', name);
      if (body.code === undefined) {
        const idpRedirectUrl = await signIn.begin(exchange, config, { returnTo: afterwards(body) });
        return sendJson(response, 200, { type: 'samlLoginOutput', idpRedirectUrl });
      }
      const { code, state = '', iss } = body;
      const query = new URLSearchParams({ code, state, ...(iss ? { iss } : {}) });
      const { identity } = await signIn.finish(exchange, { query, state, provider: name });
      const user = await admitIdentity(deps, config, identity);
      await answerLogin(deps, exchange, { provider: name, signedIn: { user, principalId: identity.user.id }, body });
    },
  };
}

/** A command line's request is never answered by signing in alone: the way leads over the page that asks. */
function afterwards(body: Awaited<ReturnType<typeof readLoginBody>>): string {
  if (body.requestId === undefined) return body.finalRedirectUrl ?? '/';
  const query = new URLSearchParams({ requestId: body.requestId });
  if (body.publicKey !== undefined) query.set('publicKey', body.publicKey);
  if (body.responseType) query.set('responseType', body.responseType);
  return `/dashboard/auth/login?${query}`;
}
