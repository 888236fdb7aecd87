/** The routes that anybody may call: which providers there are, signing in with one, and signing out. */
import type { IncomingMessage } from 'node:http';
import { methodNotAllowed, notFound } from '@drover/base';
import type { Exchange, Route } from '../http/exchange.ts';
import type { Authenticator } from './authenticate.ts';
import { guardCsrf } from './csrf.ts';
import { type LoginDeps, login } from './login.ts';
import { logout } from './logout.ts';

export interface PublicRoutesDeps extends LoginDeps {
  readonly authenticator: Authenticator;
  /** `https://host` as the client reaches this server, for the links in answers. */
  readonly baseUrl: (request: IncomingMessage) => string;
}

/** v3 writes type names in paths in either case. */
export function publicRoutes(deps: PublicRoutesDeps): Route[] {
  const route = (prefix: string, handle: (exchange: Exchange) => Promise<void>): Route => ({
    prefix,
    signIn: 'none',
    errors: 'norman',
    handle,
  });
  const providers = (exchange: Exchange) => listProviders(deps, exchange);
  const local = (exchange: Exchange) => localProvider(deps, exchange);
  const pickUp = async ({ path }: Exchange) => {
    throw notFound('authToken', path.split('/')[3]?.slice(0, 64) ?? '');
  };
  return [
    ...['/v3-public/authProviders', '/v3-public/authproviders'].map(prefix => route(prefix, providers)),
    ...['/v3-public/localProviders', '/v3-public/localproviders'].map(prefix => route(prefix, local)),
    ...['/v3-public/authTokens', '/v3-public/authtokens', '/v1-public/authtokens'].map(prefix => route(prefix, pickUp)),
    route('/v1-public/authproviders', async ({ request, response }) => {
      requireMethod(request, 'GET');
      answer(response, { data: [provider(deps.baseUrl(request))] });
    }),
    route('/v1-public/login', async ({ request, response }) => {
      requireMethod(request, 'POST');
      await login(deps, request, response);
    }),
    route('/v1/logout', async exchange => {
      const { request, response, query } = exchange;
      requireMethod(request, 'POST');
      guardCsrf(request, response, { method: 'POST', query });
      await logout(deps, exchange, { all: query.has('all') });
    }),
  ];
}

async function listProviders(deps: PublicRoutesDeps, { request, response, path }: Exchange): Promise<void> {
  requireMethod(request, 'GET');
  const [id, ...more] = segmentsAfter(path);
  const base = deps.baseUrl(request);
  response.setHeader('x-api-schemas', `${base}/v3-public/schemas`);
  if (more.length > 0 || (id !== undefined && id !== 'local')) throw notFound('authProvider', 'that name');
  if (id === 'local') return answer(response, provider(base));
  answer(response, {
    type: 'collection',
    resourceType: 'authProvider',
    links: { self: `${base}/v3-public/authProviders` },
    actions: {},
    createTypes: {},
    data: [provider(base)],
  });
}

async function localProvider(deps: PublicRoutesDeps, { request, response, path, query }: Exchange): Promise<void> {
  const [id, ...more] = segmentsAfter(path);
  const base = deps.baseUrl(request);
  response.setHeader('x-api-schemas', `${base}/v3-public/schemas`);
  if (id !== 'local' || more.length > 0) throw notFound('localProvider', 'that name');
  if (request.method === 'GET') return answer(response, provider(base));
  requireMethod(request, 'POST');
  if (query.get('action') !== 'login') throw notFound('action', 'that name');
  await login(deps, request, response, 'local');
}

function provider(base: string): Record<string, unknown> {
  const self = `${base}/v3-public/localProviders/local`;
  return {
    id: 'local',
    name: 'local',
    type: 'localProvider',
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

function answer(response: Exchange['response'], body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
