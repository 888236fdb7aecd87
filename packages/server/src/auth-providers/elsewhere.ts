/** Signing in elsewhere, put together: its doors, and how its providers are shown and used among the public ones. */
import { forbidden } from '@drover/base';
import type { Authenticator } from '../auth/authenticate.ts';
import { subjectsOfUser } from '../auth/escalation.ts';
import { answerLogin, type LoginDeps, passwordLogin } from '../auth/login.ts';
import type { LoginBody } from '../auth/login-body.ts';
import type { SignedIn, SignInProvider } from '../auth/provider.ts';
import { isLocalHidden } from '../auth/provider-on.ts';
import type { PublicRoutesDeps } from '../auth/public-routes.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { sendJson } from '../http/send-json.ts';
import { enableConfig, readConfig } from './auth-configs.ts';
import { cliRoutes } from './cli-routes.ts';
import type { ConfiguredProvider, PasswordProvider, ProviderConfig } from './configured-provider.ts';
import { admitIdentity } from './external-users.ts';
import { configuredProviders } from './providers.ts';
import { RedirectSignIn, redirectRoutes } from './redirect-routes.ts';

export interface Elsewhere {
  readonly providers: readonly SignInProvider[];
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
  const isOn = (name: string) => readConfig(caches, name)?.enabled === true;
  const ways = new Ways(deps, signIn);
  const choices = (returnTo: string) => {
    const to = encodeURIComponent(returnTo);
    const on = configuredProviders.filter(({ name }) => isOn(name));
    const byPassword = (name: string) => ({ name, address: `/ui/sign-in?provider=${name}&to=${to}` });
    return [
      ...on.map(({ kind, name }) =>
        kind === 'password' ? byPassword(name) : { name, address: `/v1-auth/${name}?returnTo=${to}` },
      ),
      ...(isLocalHidden(caches) ? [] : [byPassword('local')]),
    ];
  };
  return {
    providers: configuredProviders.map(provider => ({
      name: provider.name,
      type: provider.providerType,
      isOn: () => isOn(provider.name),
      shown(base) {
        const config = readConfig(caches, provider.name);
        if (provider.kind === 'password') return config ? provider.publicFields(config) : {};
        return { redirectUrl: `${base}/v1-auth/${provider.name}` };
      },
      login: (exchange, body) => ways.login(provider, exchange, body),
    })),
    signIn,
    routes: [...redirectRoutes(redirectDeps, signIn), ...cliRoutes({ ...redirectDeps, signIn, choices })],
  };
}

/** What a sign-in at a public door leads to, by what kind of provider it is. */
class Ways {
  readonly #deps: Deps;
  readonly #redirect: RedirectSignIn;

  constructor(deps: Deps, redirect: RedirectSignIn) {
    this.#deps = deps;
    this.#redirect = redirect;
  }

  login(provider: ConfiguredProvider, exchange: Exchange, body: LoginBody): Promise<void> {
    const config = readConfig(this.#deps.caches, provider.name)!;
    if (provider.kind === 'redirect') return this.#sent(exchange, config, body);
    const prove = () => this.#proved(provider, config, body);
    return passwordLogin(this.#deps, exchange, { provider: provider.name, body, prove });
  }

  async #proved(provider: PasswordProvider, config: ProviderConfig, given: LoginBody): Promise<SignedIn> {
    const identity = await provider.signIn(config, given).catch(error => {
      throw provider.forEverybody(error);
    });
    return { user: await admitIdentity(this.#deps, config, identity), principalId: identity.user.id };
  }

  async #sent(exchange: Exchange, config: ProviderConfig, body: LoginBody): Promise<void> {
    const provider = config.name;
    if (body.code === undefined) {
      const idpRedirectUrl = await this.#redirect.begin(exchange, config, { returnTo: afterwards(body) });
      return sendJson(exchange.response, 200, { type: 'samlLoginOutput', idpRedirectUrl });
    }
    const { code, state = '', iss } = body;
    const query = new URLSearchParams({ code, state, ...(iss ? { iss } : {}) });
    const { identity } = await this.#redirect.finish(exchange, { query, state, provider });
    const user = await admitIdentity(this.#deps, config, identity);
    await answerLogin(this.#deps, exchange, { provider, signedIn: { user, principalId: identity.user.id }, body });
  }
}

/** A command line's request is never answered by signing in alone: the way leads over the page that asks. */
function afterwards(body: LoginBody): string {
  if (body.requestId === undefined) return body.finalRedirectUrl ?? '/';
  const query = new URLSearchParams({ requestId: body.requestId });
  if (body.publicKey !== undefined) query.set('publicKey', body.publicKey);
  if (body.responseType) query.set('responseType', body.responseType);
  return `/dashboard/auth/login?${query}`;
}
