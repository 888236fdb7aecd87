/**
 * SCIM 2.0 (RFC 7644): `/v1-scim/PROVIDER/…`, where the identity provider keeps users and groups, and `/v1-scim-token/PROVIDER`, where
 * an admin makes the token that it shows.
 */
import { forbidden, methodNotAllowed, notFound, StatusError, tooManyRequests, unauthorized } from '@drover/base';
import { readBody } from '../api/body.ts';
import type { Access } from '../auth/access.ts';
import { guardCsrf } from '../auth/csrf.ts';
import type { AuthDeps } from '../auth/deps.ts';
import { Buckets } from '../auth/rate-limit.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import { describeService } from './describe.ts';
import { userNameAsked } from './filter.ts';
import { scimGroups } from './groups.ts';
import { asAsked, errorBody, listAnswer, type Scim, scimError } from './protocol.ts';
import { renewScimToken, showsScimToken } from './token.ts';
import { indexScimNames, scimUsers } from './users.ts';

export interface ScimDeps extends AuthDeps {
  readonly access: Pick<Access, 'isAdmin'>;
  readonly addressOf: AddressOf;
  readonly baseUrl: (request: Exchange['request']) => string;
}

const maxBodyBytes = 2 << 20;

/** Users and groups of one provider behave alike. */
interface Collection {
  all(): Scim[];
  named?(userName: string): Scim[];
  get(id: string): Scim;
  create(body: Scim): Promise<Scim>;
  replace(id: string, body: Scim): Promise<Scim>;
  patch(id: string, body: unknown): Promise<Scim>;
  remove(id: string): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: Scim;
}

export function scimRoutes(deps: ScimDeps): Route[] {
  indexScimNames(deps.caches);
  const wrong = new Buckets({ burst: 30, perSecond: 0.5, maxKeys: 10_000 });
  const provide: Route = {
    prefix: '/v1-scim',
    signIn: 'none',
    errors: 'norman',
    async handle(exchange) {
      try {
        const { request, path } = exchange;
        const [provider = '', kind = '', id, ...more] = path.split('/').slice(2).filter(Boolean).map(decode);
        if (!(await showsScimToken(deps.resources, provider, request.headers.authorization))) {
          const waitSeconds = wrong.take(deps.addressOf(request));
          throw waitSeconds > 0 ? tooManyRequests('too many wrong tokens', waitSeconds) : unauthorized();
        }
        if (!isOn(deps, provider)) throw forbidden(`the provider "${provider}" is switched off here`);
        if (more.length > 0) throw notFound('path', path.slice(0, 200));
        send(exchange, await answer(deps, exchange, { provider, kind, id }));
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        send(exchange, { status: error.status, body: errorBody(error) }, error.details.retryAfterSeconds);
      }
    },
  };
  const token: Route = {
    prefix: '/v1-scim-token',
    signIn: 'user',
    errors: 'norman',
    async handle({ request, response, path, query }, caller) {
      if (!deps.access.isAdmin(caller!)) throw forbidden('only an admin lets a provider keep users here');
      if (request.method !== 'POST') throw methodNotAllowed(request.method ?? '', 'this path');
      guardCsrf(request, response, { method: 'POST', query });
      const [provider = '', ...more] = path.split('/').slice(2).filter(Boolean);
      if (more.length > 0 || !deps.caches.authConfig.get(provider)) throw notFound('authConfig', provider.slice(0, 64));
      const made = await renewScimToken(deps.resources, provider);
      const url = `${deps.baseUrl(request)}/v1-scim/${provider}`;
      sendJson(response, 201, { token: made.reveal(), url }, noStore);
    },
  };
  return [provide, token];
}

const isOn = ({ caches }: ScimDeps, provider: string): boolean => caches.authConfig.get(provider)?.enabled === true;

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw scimError(400, 'invalidPath', 'the path is not UTF-8');
  }
}

interface Asked {
  readonly provider: string;
  readonly kind: string;
  readonly id: string | undefined;
}

async function answer(deps: ScimDeps, { request, query }: Exchange, { provider, kind, id }: Asked): Promise<Answer> {
  const base = `${deps.baseUrl(request)}/v1-scim/${provider}`;
  const method = request.method ?? '';
  const described = describeService(kind, id, base);
  if (described && method === 'GET') return { status: 200, body: described };
  const users = scimUsers(deps, provider, base);
  const all: Readonly<Record<string, Collection>> = {
    Users: users,
    Groups: scimGroups({ ...deps, hasUser: users.has }, provider, base),
  };
  const collection = Object.hasOwn(all, kind) ? all[kind]! : undefined;
  if (!collection) throw notFound('path', kind.slice(0, 64));
  const body = async (): Promise<Scim> => {
    const given = await readBody(request, maxBodyBytes);
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Scim;
    throw scimError(400, 'invalidSyntax', 'the body must be a JSON object');
  };
  if (id === undefined) {
    if (method === 'GET') {
      const userName = userNameAsked(query.get('filter'));
      const found = userName === undefined ? undefined : collection.named?.(userName);
      return { status: 200, body: listAnswer(found ?? collection.all(), query) };
    }
    if (method === 'POST') return { status: 201, body: await collection.create(await body()) };
    throw methodNotAllowed(method, kind);
  }
  switch (method) {
    case 'GET':
      return { status: 200, body: asAsked(collection.get(id), query) };
    case 'PUT':
      return { status: 200, body: await collection.replace(id, await body()) };
    case 'PATCH':
      return { status: 200, body: await collection.patch(id, await body()) };
    case 'DELETE':
      await collection.remove(id);
      return { status: 204 };
    default:
      throw methodNotAllowed(method, kind);
  }
}

function send({ response }: Exchange, { status, body }: Answer, retryAfterSeconds?: number): void {
  if (!body) {
    response.writeHead(status).end();
    return;
  }
  const location = status === 201 ? (body['meta'] as { location?: string } | undefined)?.location : undefined;
  sendJson(response, status, body, {
    'content-type': 'application/scim+json',
    ...(location === undefined ? {} : { location }),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': retryAfterSeconds }),
  });
}
