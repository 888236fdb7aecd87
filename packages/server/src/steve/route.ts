/**
 * The `/v1` routes: the server's own and, below `/k8s/clusters/<id>`, each cluster's. From a request to the realm that it is about, the
 * operation that it means, and the answer. What the cluster's own API serves below the same prefix is the proxy's.
 */
import type { IncomingMessage } from 'node:http';
import { badRequest, forbidden, methodNotAllowed, notFound, StatusError, unauthorized } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { readBody } from '../api/body.ts';
import { guardCsrf, requireSameOrigin } from '../auth/index.ts';
import type { Caller, Exchange, Route, Upgrade } from '../http/exchange.ts';
import { identityOf, KeptAnswers } from '../http/kept-answers.ts';
import { readsOf } from '../resources/index.ts';
import { acceptSockets, sinkOf } from '../subscribe/sockets.ts';
import { errorBody, formatOf, sendParts, sendWhole } from './answer.ts';
import { countResource, countsOf } from './counts.ts';
import { linker, render, type View } from './links.ts';
import { listParts } from './list.ts';
import { isClusterPath, parseStevePath, type StevePath } from './path.ts';
import type { Realms } from './realms.ts';
import { builtInSchemas, kubeSchema, rootCollection, schemaCollection } from './root.ts';
import { parseShape } from './shape.ts';
import { findType, type Method, methodsOf, type SteveType } from './steve-type.ts';
import { Subscriber } from './subscriber.ts';
import { preferencesOf, replacePreferences } from './user-preferences.ts';
import { requireMethod, write } from './write.ts';

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const localId = 'local';
const maxPreferencesBytes = 2 << 20;

export interface SteveDeps {
  readonly kept: KeptAnswers;
  readonly realms: Realms;
  readonly baseUrl: (request: IncomingMessage) => string;
  readonly api: ApiDeps;
}

export function steveRoutes(parts: Omit<SteveDeps, 'kept'>): Route[] {
  const deps = { ...parts, kept: new KeptAnswers() };
  const shared = {
    signIn: 'optional',
    errors: 'norman',
    handle: (exchange: Exchange, caller: Caller | undefined) => handle(deps, exchange, caller),
    upgrade: (upgrade: Upgrade, caller: Caller | undefined) => subscribe(deps, upgrade, caller),
  } as const;
  return [
    { ...shared, prefix: '/v1' },
    { ...shared, prefix: '/k8s/clusters', takes: isClusterPath },
  ];
}

const accept = acceptSockets();

async function subscribe(deps: SteveDeps, upgrade: Upgrade, caller: Caller | undefined): Promise<void> {
  if (!caller) throw unauthorized();
  const { request, socket: raw } = upgrade;
  requireSameOrigin(request, caller, deps.api.settings.get('server-url') || undefined);
  const path = parseStevePath(upgrade.path, localId);
  if (path.segments.length !== 1 || path.segments[0] !== 'subscribe') throw notFound('path for upgrades', upgrade.path);
  const base = deps.baseUrl(request);
  const view = () => viewOf(deps, { caller, request, path, base });
  await view();
  // It aborts when the caller's token is taken back, or he is no member of the cluster any more.
  const session = deps.api.auth.sessions.signalFor(caller, path.clusterId);
  accept(upgrade, caller, socket => {
    const sink = sinkOf(socket, raw, ({ code, reason }) => {
      if (code === 1013) deps.api.log.info({ user: caller.userId, reason }, 'a subscriber was dropped');
    });
    const end = () => sink.close(1008, 'the session has ended');
    socket.on('error', () => socket.terminate());
    if (session.aborted) {
      end();
      return;
    }
    const version = () => deps.api.settings.get('server-version');
    const subscriber = new Subscriber({ view, sink, version, log: deps.api.log });
    raw.on('drain', () => void subscriber.pump());
    socket.on('message', (data, isBinary) => void (isBinary || subscriber.receive(String(data))));
    session.addEventListener('abort', end, { once: true });
    socket.once('close', () => {
      session.removeEventListener('abort', end);
      subscriber.close();
    });
  });
}

/** What sign-in pages read before anybody is signed in. */
const isOpen = (path: string) => /^\/v1\/management\.cattle\.io\.settings?(?:\/[^/]*)?$/i.test(path);

interface Asked {
  readonly deps: SteveDeps;
  readonly caller: Caller | undefined;
  readonly exchange: Exchange;
  readonly view: View;
  readonly segments: readonly string[];
  readonly method: Method;
  /** What the answer may be kept under. */
  readonly key: string | undefined;
}

async function handle(deps: SteveDeps, exchange: Exchange, caller: Caller | undefined): Promise<void> {
  const { request, response } = exchange;
  const base = deps.baseUrl(request);
  const path = parseStevePath(exchange.path, localId);
  const root = `${base}${path.prefix}/v1`;
  response.setHeader('x-api-schemas', `${root}/schemas`);
  response.setHeader('x-api-cattle-auth', String(caller !== undefined));
  response.setHeader('cache-control', 'no-cache, no-store, must-revalidate');
  response.setHeader('expires', 'Wed 24 Feb 1982 18:42:00 GMT');
  response.setHeader('x-content-type-options', 'nosniff');
  try {
    const method = methodOf(exchange);
    const key = caller && path.segments.length === 1 ? repeatKey(exchange, caller, base) : undefined;
    const again = key === undefined ? undefined : deps.kept.find(key);
    if (again) {
      guardCsrf(request, response, { method, query: exchange.query });
      return await sendWhole(exchange, 200, again.body, () => deps.kept.zipped(again));
    }
    if (!caller && !(method === 'GET' && isOpen(exchange.path))) throw unauthorized();
    guardCsrf(request, response, { method, query: exchange.query });
    const view = await viewOf(deps, { caller, request, path, base });
    await dispatch({ deps, caller, exchange, view, segments: path.segments, method, key });
  } catch (error) {
    const body = response.headersSent ? undefined : errorBody(error);
    if (!body) throw error;
    // A body that nobody will read must not be taken for the next request.
    if (!request.complete) response.setHeader('connection', 'close');
    const retry = (error as StatusError).details.retryAfterSeconds;
    if (retry !== undefined) response.setHeader('retry-after', retry);
    await sendParts(exchange, (error as StatusError).status, [`${JSON.stringify(body)}\n`]);
  }
}

/** What decides the bytes of a list besides what it was made of; undefined where they are not to be kept. */
function repeatKey(exchange: Exchange, caller: Caller, base: string): string | undefined {
  const { request, path, search } = exchange;
  if (request.method !== 'GET' || /[?&](?:_method|action|revision)=/.test(search) || formatOf(exchange) !== 'json')
    return undefined;
  return `${base}${path}${search} ${identityOf(caller)}`;
}

function methodOf({ request, query }: Exchange): Method {
  const asked = (query.get('_method') ?? request.method ?? 'GET').toUpperCase();
  const method = asked === 'HEAD' ? 'GET' : asked;
  if (!methods.has(method)) throw methodNotAllowed(method, '/v1');
  return method as Method;
}

/** The realm that the path is in, for who asks. Throws Forbidden where it is none of his. */
export async function viewOf(
  { realms }: SteveDeps,
  {
    caller,
    request,
    path,
    base,
  }: {
    readonly caller: Caller | undefined;
    readonly request: IncomingMessage;
    readonly path: StevePath;
    readonly base: string;
  },
): Promise<View> {
  if (!caller)
    return { realm: realms.anonymous(base), rights: await realms.anonymous(base).rights(), base, root: `${base}/v1` };
  const realm =
    path.clusterId === undefined
      ? realms.own(caller, request.rawHeaders, base)
      : realms.cluster(caller, request.rawHeaders, path.clusterId);
  return { realm, rights: await realm.rights(), base, root: `${base}${path.prefix}/v1` };
}

async function dispatch(asked: Asked): Promise<void> {
  const { segments, view, method, exchange } = asked;
  const [name, ...rest] = segments;
  if (name === undefined || /^apiroots?$/i.test(name)) {
    const all = rootCollection(view, [...(await view.realm.types()).values()], view) as { data: { id: string }[] };
    const [id] = rest;
    return reply(
      asked,
      id === undefined
        ? all
        : required(
            all.data.find(one => one.id === id),
            'apiRoot',
            id,
          ),
    );
  }
  if (/^schemas?$/i.test(name)) return schemas(asked, rest[0]);
  if (/^schemadefinitions?$/i.test(name)) return definitions(asked, rest[0]);
  if (/^counts?$/i.test(name)) return counts(asked, rest[0]);
  if (/^userpreferences?$/i.test(name) && asked.caller) return preferences(asked, asked.caller, rest[0]);
  if (/^subscribe$/i.test(name)) throw badRequest('this is where clients subscribe: it takes WebSocket upgrades only');
  const type = findType(await view.realm.types(), name);
  if (!type) return nothing(exchange);
  if (exchange.query.has('action'))
    throw new StatusError(404, 'NotFound', `there is no such action of ${type.id}`, {
      details: { code: 'ActionNotAvailable' },
    });
  const { namespace, name: objectName, link } = placeOf(type, rest);
  if (link !== undefined || (exchange.query.get('link') ?? '') !== '')
    throw notFound('link', link ?? exchange.query.get('link')!);
  const place = { namespace: namespace ?? '', name: objectName ?? '' };
  if (method !== 'GET') return change(asked, type, place);
  requireMethod(view, type, 'GET', objectName === undefined ? 'collection' : 'resource');
  if (objectName === undefined) return list(asked, type, namespace);
  const shape = parseShape(exchange.query);
  const text = render(type, await view.realm.get(type, place, shape), linker(view, type));
  return sendParts(exchange, 200, [`${shape.change ? shape.change(text) : text}\n`]);
}

async function list(
  { view, exchange, key, deps }: Asked,
  type: SteveType,
  namespace: string | undefined,
): Promise<void> {
  const sources = key === undefined ? undefined : view.realm.sources?.(type);
  // Taken before anything is read: what changes meanwhile makes the answer one that is not kept.
  const reads = sources && readsOf(sources);
  const lines = formatOf(exchange) === 'jsonl';
  const parts = await listParts(view, type, { query: exchange.query, namespace, lines });
  if (key === undefined || !reads) return sendParts(exchange, 200, parts);
  const body = Buffer.from(parts.join(''));
  deps.kept.keep(key, { body, headers: {} }, reads);
  return sendWhole(exchange, 200, body);
}

async function schemas(asked: Asked, id: string | undefined): Promise<void> {
  const { view, method } = asked;
  if (method !== 'GET') throw methodNotAllowed(method, 'schema');
  const types = await view.realm.types();
  if (id === undefined) return reply(asked, await schemaCollection(view, [...types.values()]));
  const own = builtInSchemas(view.root).find(schema => String(schema['id']).toLowerCase() === id.toLowerCase());
  const type = own ? undefined : findType(types, id);
  const schema = own ?? (type && (await kubeSchema(view, type)));
  if (!schema) throw new StatusError(404, 'NotFound', 'no such schema');
  return reply(asked, schema);
}

async function definitions(asked: Asked, id: string | undefined): Promise<void> {
  const { view, method } = asked;
  if (method !== 'GET') throw methodNotAllowed(method, 'schemaDefinition');
  if (id === undefined) throw forbidden('schema definitions are not listed: ask for one by the id of its schema');
  const type = findType(await view.realm.types(), id);
  const found = type && methodsOf(type, view.rights).collection.length > 0 && (await view.realm.definitions(type));
  if (!found) throw new StatusError(404, 'NotFound', 'no such schema definition');
  const self = `${view.root}/schemaDefinitions/${type.id}`;
  return reply(asked, { id: type.id, type: 'schemaDefinition', links: { self }, ...found });
}

async function counts(asked: Asked, id: string | undefined): Promise<void> {
  const { view, method, deps } = asked;
  if (method !== 'GET') throw methodNotAllowed(method, 'count');
  if (id !== undefined && id !== 'count') throw notFound('count', id);
  const count = countResource(view.root, await countsOf(view, deps.api.log));
  const all = {
    type: 'collection',
    links: { self: `${view.root}/counts` },
    actions: {},
    resourceType: 'count',
    data: [count],
  };
  return reply(asked, id === undefined ? all : count);
}

/** Everybody's are his own: whatever id is asked for, there is one. */
async function preferences(asked: Asked, caller: Caller, id: string | undefined): Promise<void> {
  const { view, method, exchange, deps } = asked;
  if (id !== undefined && id !== caller.userId) throw notFound('userpreference', id);
  if (method !== 'GET') {
    if (id === undefined || (method !== 'PUT' && method !== 'DELETE')) throw methodNotAllowed(method, 'userpreference');
    const body = method === 'PUT' ? await readBody(exchange.request, maxPreferencesBytes) : {};
    await replacePreferences({ deps: deps.api, caller, base: view.base, versionPath: '/v3', exchange }, body);
  }
  const own = preferencesOf(deps.api, { userId: caller.userId, root: view.root });
  const links = { self: `${view.root}/userpreferences` };
  return reply(
    asked,
    id === undefined ? { type: 'collection', links, actions: {}, resourceType: 'userpreference', data: [own] } : own,
  );
}

async function change(asked: Asked, type: SteveType, place: { namespace: string; name: string }): Promise<void> {
  const { exchange, view, method } = asked;
  if ((method === 'POST') !== (place.name === ''))
    throw methodNotAllowed(method, place.name === '' ? type.plural : type.id);
  const { shown, warnings } = await write(view, type, { exchange, method, place });
  if (warnings.length > 0) exchange.response.setHeader('warning', [...warnings]);
  if (!shown) {
    exchange.response.writeHead(204).end();
    return;
  }
  await sendParts(exchange, method === 'POST' ? 201 : 200, [`${render(type, shown, linker(view, type))}\n`]);
}

/** Of a namespaced type the first part is a namespace, of another the name. */
function placeOf(
  type: SteveType,
  [first, second, third, ...more]: readonly string[],
): { namespace?: string; name?: string; link?: string } {
  if (more.length > 0) throw notFound('path', more.join('/'));
  if (type.namespaced) return { namespace: first, name: second, link: third };
  if (third !== undefined) throw notFound('path', third);
  return { name: first, link: second };
}

function required<T>(found: T | undefined, kind: string, id: string): T {
  if (found === undefined) throw notFound(kind, id);
  return found;
}

const reply = ({ exchange }: Asked, body: object) => sendParts(exchange, 200, [`${JSON.stringify(body)}\n`]);

/** Clients know a type that is not there by an answer without a body. */
function nothing({ response }: Exchange): void {
  response.writeHead(404, { 'content-length': '0' }).end();
}
