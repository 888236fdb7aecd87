/**
 * The doors of signing in elsewhere: `/v1-auth/NAME` sends the browser away, `/verify-auth` and `/v1-saml/NAME/saml/acs` take
 * it back. What it comes back with counts only together with the cookie that it was sent away with.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { forbidden, methodNotAllowed, notFound, type Secret, tooManyRequests, unauthorized } from '@drover/base';
import { noteForAudit } from '../audit/notes.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { clearCookies, setSessionCookie } from '../auth/cookies.ts';
import { nowOf } from '../auth/deps.ts';
import { type LoginDeps, noteLogin } from '../auth/login.ts';
import { endSessions } from '../auth/logout.ts';
import { Buckets } from '../auth/rate-limit.ts';
import { issueToken, revokeToken } from '../auth/tokens.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import type { ProviderConfig, RedirectProvider } from './configured-provider.ts';
import { admitIdentity, keptOf } from './external-users.ts';
import type { Identity } from './identity.ts';
import { pendingKeyOf } from './pending-key.ts';
import { readForm } from './read-form.ts';
import { findRedirectProvider, samlOfConfig } from './redirect-providers.ts';
import { returnPath } from './return-path.ts';
import { clearPending, newState, type Pending, pendingMs, readPending, setPending } from './sealed-cookie.ts';
import { seenOnceIn } from './seen-once.ts';
import { errorPage, sendPage, testPage } from './sign-in-page.ts';

export interface RedirectDeps extends LoginDeps {
  readonly authenticator: Authenticator;
  readonly baseUrl: (request: IncomingMessage) => string;
  /** The configuration as it is now; undefined where there is none. */
  readonly configOf: (name: string) => Promise<ProviderConfig | undefined>;
}

/** What a browser is sent away for. */
export interface Purpose {
  readonly returnTo: string;
  /** Only shows that the provider works, and gives what it came back with to whoever began it. */
  readonly test?: boolean;
  /** Enables the provider once it has worked, and makes its principal one of this user's. */
  readonly enableFor?: string;
}

/** Called where a sign-in was begun to enable the provider. */
export type OnEnabled = (config: ProviderConfig, userId: string, identity: Identity) => Promise<ProviderConfig>;

export class RedirectSignIn {
  readonly #deps: RedirectDeps;
  readonly #key: () => Promise<Secret>;
  /** Wide, since many people may come by one address; what could be guessed is the provider's to guard. */
  readonly #begins = new Buckets({ burst: 600, perSecond: 20, maxKeys: 20_000 });
  readonly #ends = new Buckets({ burst: 300, perSecond: 10, maxKeys: 20_000 });
  /** Set by whoever can enable providers. */
  onEnabled: OnEnabled | undefined;

  constructor(deps: RedirectDeps) {
    this.#deps = deps;
    this.#key = pendingKeyOf(deps.resources);
  }

  /** The key that seals what browsers carry for us. */
  key(): Promise<Secret> {
    return this.#key();
  }

  /** The address at the provider, with the browser's cookie set on the response. */
  async begin(
    exchange: Pick<Exchange, 'request' | 'response'>,
    config: ProviderConfig,
    purpose: Purpose,
  ): Promise<string> {
    const { request, response } = exchange;
    const provider = requireProvider(config.name);
    this.#limit(this.#begins, request);
    const state = newState();
    const baseUrl = this.#deps.baseUrl(request);
    const { url, data } = await provider.begin(config, { baseUrl, state });
    const pending: Pending = {
      provider: provider.name,
      state,
      returnTo: returnPath(purpose.returnTo, baseUrl),
      expiresAt: nowOf(this.#deps) + pendingMs,
      data: {
        ...data,
        ...(purpose.test ? { purpose: 'test' } : {}),
        ...(purpose.enableFor ? { purpose: 'enable', enableFor: purpose.enableFor } : {}),
      },
    };
    setPending(response, await this.#key(), { pending, crossSite: provider.crossSite });
    return url;
  }

  /** Who came back, for the sign-in that this browser began; throws Unauthorized where it began none. */
  async finish(
    exchange: Pick<Exchange, 'request' | 'response'>,
    given: {
      readonly query: URLSearchParams;
      readonly state: string;
      readonly config?: ProviderConfig;
      readonly provider?: string;
    },
  ): Promise<{ readonly identity: Identity; readonly pending: Pending; readonly config: ProviderConfig }> {
    const { request, response } = exchange;
    const pending = await this.#pendingOf(request, given);
    clearPending(response, given.state);
    const provider = requireProvider(pending.provider);
    const config = given.config ?? (await this.#deps.configOf(provider.name));
    const mayBeOff = given.config !== undefined || pending.data['purpose'] === 'enable';
    if (!config || !(config.enabled || mayBeOff)) throw notFound('authProvider', provider.name);
    this.#limit(this.#ends, request);
    const now = nowOf(this.#deps);
    const seenOnce = seenOnceIn(this.#deps.resources, () => nowOf(this.#deps));
    const identity = await provider.finish(config, { query: given.query, data: pending.data, seenOnce, now });
    return { identity, pending, config };
  }

  #limit(buckets: Buckets, request: IncomingMessage): void {
    const wait = buckets.take(this.#deps.addressOf(request) ?? '');
    if (wait > 0) throw tooManyRequests('too many sign-ins from here at once', wait);
  }

  async #pendingOf(
    request: IncomingMessage,
    { state, provider }: { readonly state: string; readonly provider?: string },
  ): Promise<Pending> {
    const pending = readPending(request, await this.#key(), { state, provider, now: nowOf(this.#deps) });
    if (!pending)
      throw unauthorized('this browser did not begin this sign-in, or too long ago; begin again', {
        code: 'Unauthorized',
      });
    return pending;
  }

  /** The callback of OpenID Connect and GitHub. */
  async callback(exchange: Exchange): Promise<void> {
    requireMethod(exchange.request, 'GET');
    const state = exchange.query.get('state') ?? '';
    const pending = await this.#pendingOf(exchange.request, { state });
    // Cookies of a provider that posts go along from other sites: they are for its own door alone.
    if (requireProvider(pending.provider).crossSite) throw unauthorized('this is not where that provider answers');
    if (pending.data['purpose'] === 'test') {
      const code = exchange.query.get('code');
      if (!code) throw forbidden(`"${pending.provider}" did not let you sign in`);
      return sendPage(
        exchange.response,
        200,
        testPage(exchange.request, [code, state, exchange.query.get('iss') ?? ''].join(' ').trim()),
      );
    }
    const came = await this.finish(exchange, { query: exchange.query, state });
    await this.#signIn(exchange, came);
  }

  /** The callback of SAML. */
  async assertion(exchange: Exchange, name: string): Promise<void> {
    requireMethod(exchange.request, 'POST');
    const form = await readForm(exchange.request);
    const came = await this.finish(exchange, { query: form, state: form.get('RelayState') ?? '', provider: name });
    await this.#signIn(exchange, came);
  }

  async #signIn(
    { request, response }: Exchange,
    { identity, pending, config }: { identity: Identity; pending: Pending; config: ProviderConfig },
  ): Promise<void> {
    const enableFor = pending.data['purpose'] === 'enable' ? pending.data['enableFor'] : undefined;
    const used = (enableFor && (await this.onEnabled?.(config, enableFor, identity))) || config;
    noteForAudit(request, { loginName: identity.user.loginName });
    const user = await admitIdentity(this.#deps, used, identity);
    const { resource, bearer } = await issueToken(this.#deps, {
      userId: user.metadata.name,
      kind: 'session',
      authProvider: config.name,
      userPrincipal: identity.user.id,
      description: `Sign-in with ${config.name}`,
    });
    noteForAudit(request, { userId: user.metadata.name, tokenName: resource.metadata.name });
    await noteLogin(this.#deps, user.metadata.name);
    setSessionCookie(response, bearer);
    // 303: the browser goes on with GET, and leaves what was posted here behind.
    redirect(response, pending.returnTo);
  }

  /**
   * Ends the session here (with `all`, every one of this user) and leads to where the provider ends its own; back to this
   * server where it offers no such place. Undefined for a session that is not of a provider elsewhere.
   */
  async logoutUrl(
    { request, response }: Pick<Exchange, 'request' | 'response'>,
    asked: { readonly returnTo?: string | null; readonly all?: boolean },
  ): Promise<string | undefined> {
    const token = await this.#deps.authenticator.shownToken(request);
    if (!token) throw unauthorized();
    const name = token.authProvider ?? 'local';
    if (!findRedirectProvider(name)) return undefined;
    const baseUrl = this.#deps.baseUrl(request);
    const returnTo = returnPath(asked.returnTo, baseUrl);
    const config = await this.#deps.configOf(name);
    const keep = await keptOf(this.#deps, token.userId ?? '', name);
    await endSessions(this.#deps, token, asked);
    clearCookies(response);
    const way = { returnTo: `${baseUrl}${returnTo}`, state: newState() };
    return (config && (await requireProvider(name).logout?.(config, keep, way))) ?? returnTo;
  }

  async saml(exchange: Exchange): Promise<void> {
    const { request, response, path } = exchange;
    const [, , name = '', kind, door = '', ...more] = path.split('/');
    const provider = findRedirectProvider(name);
    const config = provider?.crossSite ? await this.#deps.configOf(name) : undefined;
    if (!config || kind !== 'saml' || more.length > 0) throw notFound('path', path.slice(0, 200));
    if (door === 'acs') return this.assertion(exchange, name);
    if (door === 'slo') return this.#samlLogout(exchange, config);
    if (door !== 'metadata') throw notFound('path', path.slice(0, 200));
    requireMethod(request, 'GET');
    const { samlMetadata } = await import('./saml-flow.ts');
    const text = samlMetadata(samlOfConfig(config));
    const headers = { 'content-type': 'application/samlmetadata+xml', 'content-length': Buffer.byteLength(text) };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : text);
  }

  /** The provider's answer to our sign-out, or its own: then the session that this browser shows ends here too. */
  async #samlLogout(exchange: Exchange, config: ProviderConfig): Promise<void> {
    const { request, response, search, query } = exchange;
    requireMethod(request, 'GET');
    const settings = samlOfConfig(config);
    if (query.has('SAMLResponse')) return redirect(response, '/');
    const { finishSamlLogout, samlLogoutAnswerUrl } = await import('./saml-flow.ts');
    const demand = await finishSamlLogout(settings, { rawQuery: search.slice(1) });
    if (!demand) throw unauthorized('the provider asks for nothing');
    const token = await this.#deps.authenticator.shownToken(request);
    const keep = token?.authProvider === config.name ? await keptOf(this.#deps, token.userId ?? '', config.name) : {};
    if (token && keep['nameId'] === demand.nameID) {
      await revokeToken(this.#deps, token.metadata.name);
      clearCookies(response);
    }
    redirect(response, await samlLogoutAnswerUrl(settings, demand, query.get('RelayState') ?? ''));
  }
}

export function redirectRoutes(deps: RedirectDeps, signIn: RedirectSignIn): Route[] {
  const route = (prefix: string, handle: (exchange: Exchange) => Promise<void>): Route => ({
    prefix,
    signIn: 'none',
    errors: 'norman',
    errorPage,
    handle,
  });
  return [
    route('/v1-auth', async exchange => {
      const { request, response, query, path } = exchange;
      requireMethod(request, 'GET');
      const [, , name = '', step, ...more] = path.split('/');
      const config = findRedirectProvider(name) && (await deps.configOf(name));
      if (!config?.enabled || more.length > 0 || (step !== undefined && step !== 'logout'))
        throw notFound('authProvider', name.slice(0, 64));
      if (step === 'logout') {
        // A page elsewhere must not sign anybody out.
        if (/^(?:cross-site|same-site)$/.test(String(request.headers['sec-fetch-site'] ?? '')))
          throw forbidden('a page of another site may not sign you out');
        return redirect(response, (await signIn.logoutUrl(exchange, { returnTo: query.get('returnTo') })) ?? '/');
      }
      redirect(response, await signIn.begin(exchange, config, { returnTo: query.get('returnTo') ?? '/' }));
    }),
    ...['/verify-auth', '/verify-auth-azure'].map(prefix => route(prefix, exchange => signIn.callback(exchange))),
    route('/v1-saml', exchange => signIn.saml(exchange)),
  ];
}

function requireProvider(name: string): RedirectProvider {
  const provider = findRedirectProvider(name);
  if (!provider) throw notFound('authProvider', name);
  return provider;
}

function requireMethod(request: IncomingMessage, method: string): void {
  if (request.method !== method && !(method === 'GET' && request.method === 'HEAD'))
    throw methodNotAllowed(request.method ?? '', 'this path');
}

function redirect(response: ServerResponse, location: string): void {
  const headers = { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'content-length': '0' };
  response.writeHead(303, headers).end();
}
