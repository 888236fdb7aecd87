/** The routes that anybody may call: which providers there are, signing in with one, and signing out. */
import type { IncomingMessage } from 'node:http';
import { methodNotAllowed, notFound } from '@drover/base';
import type { Exchange, Route } from '../http/exchange.ts';
import { sendJson } from '../http/send-json.ts';
import type { Authenticator } from './authenticate.ts';
import { guardCsrf } from './csrf.ts';
import { type LoginDeps, login } from './login.ts';
import { logout } from './logout.ts';
import type { SignInProvider } from './provider.ts';
import { findPublicSchema, publicRoot, publicSchemas } from './public-schemas.ts';

export interface PublicRoutesDeps extends LoginDeps {
  readonly authenticator: Authenticator;
  /** `https://host` as the client reaches this server, for the links in answers. */
  readonly baseUrl: (request: IncomingMessage) => string;
  /** All ways to sign in, switched on or not. */
  readonly providers: readonly SignInProvider[];
}

/** v3 writes type names in paths in either case. */
export function publicRoutes(deps: PublicRoutesDeps): Route[] {
  const route = (prefix: string, handle: (exchange: Exchange) => Promise<void>): Route => ({
    prefix,
    signIn: 'none',
    errors: 'norman',
    handle,
  });
  const list = (exchange: Exchange) => listProviders(deps, exchange);
  return [
    route('/v3-public', exchange => root(deps, exchange)),
    ...inEitherCase('/v3-public/authProviders').map(prefix => route(prefix, list)),
    ...deps.providers.flatMap(provider =>
      inEitherCase(`/v3-public/${provider.type}s`).map(prefix =>
        route(prefix, exchange => oneProvider(deps, provider, exchange)),
      ),
    ),
    route('/v1-public/authproviders', async ({ request, response }) => {
      requireMethod(request, 'GET');
      const base = deps.baseUrl(request);
      sendJson(response, 200, { data: allShown(deps, base) });
    }),
    route('/v1-public/login', async exchange => {
      requireMethod(exchange.request, 'POST');
      await login(deps.providers, exchange);
    }),
    route('/v1/logout', async exchange => {
      const { request, response, query } = exchange;
      requireMethod(request, 'POST');
      guardCsrf(request, response, { method: 'POST', query });
      await logout(deps, exchange, { all: query.has('all') });
    }),
  ];
}

async function root(deps: PublicRoutesDeps, { request, response, path }: Exchange): Promise<void> {
  requireMethod(request, 'GET');
  const base = deps.baseUrl(request);
  response.setHeader('x-api-schemas', `${base}/v3-public/schemas`);
  const [name, id, ...more] = path.split('/').slice(2).filter(Boolean);
  if (name === undefined) return sendJson(response, 200, publicRoot(base));
  // Local users are there even while nobody may sign in as one.
  const types = deps.providers.filter(each => each.name === 'local' || each.isOn()).map(each => each.type);
  if (more.length > 0 || !/^schemas?$/i.test(name)) throw notFound('path', path.slice(0, 200));
  sendJson(response, 200, id === undefined ? publicSchemas(base, types) : findPublicSchema(base, types, id));
}

async function listProviders(deps: PublicRoutesDeps, { request, response, path }: Exchange): Promise<void> {
  requireMethod(request, 'GET');
  const [id, ...more] = segmentsAfter(path);
  const base = deps.baseUrl(request);
  response.setHeader('x-api-schemas', `${base}/v3-public/schemas`);
  const all = allShown(deps, base);
  const one = all.find(({ name }) => name === id);
  if (more.length > 0 || (id !== undefined && !one)) throw notFound('authProvider', 'that name');
  if (one) return sendJson(response, 200, one);
  sendJson(response, 200, {
    type: 'collection',
    resourceType: 'authProvider',
    links: { self: `${base}/v3-public/authProviders` },
    actions: {},
    createTypes: {},
    data: all,
  });
}

function allShown({ providers }: PublicRoutesDeps, base: string): Record<string, unknown>[] {
  return providers.filter(provider => provider.isOn()).map(provider => shown(provider, base));
}

async function oneProvider(deps: PublicRoutesDeps, provider: SignInProvider, exchange: Exchange): Promise<void> {
  const { request, response, path, query } = exchange;
  const [id, ...more] = segmentsAfter(path);
  const base = deps.baseUrl(request);
  response.setHeader('x-api-schemas', `${base}/v3-public/schemas`);
  if (id !== provider.name || more.length > 0 || !provider.isOn()) throw notFound(provider.type, 'that name');
  if (request.method === 'GET') return sendJson(response, 200, shown(provider, base));
  requireMethod(request, 'POST');
  if (query.get('action') !== 'login') throw notFound('action', 'that name');
  await login(deps.providers, exchange, provider);
}

const inEitherCase = (path: string): string[] => [...new Set([path, path.toLowerCase()])];

function shown(provider: SignInProvider, base: string): Record<string, unknown> {
  const { name, type } = provider;
  const self = `${base}/v3-public/${type}s/${name}`;
  return {
    ...provider.shown(base),
    id: name,
    name,
    type,
    baseType: 'authProvider',
    links: { self },
    actions: { login: `${self}?action=login` },
  };
}

function segmentsAfter(path: string): string[] {
  return path.split('/').slice(3).filter(Boolean);
}

function requireMethod(request: IncomingMessage, method: string): void {
  if (request.method !== method && !(method === 'GET' && request.method === 'HEAD'))
    throw methodNotAllowed(request.method ?? '', 'this path');
}
