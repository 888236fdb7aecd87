/**
 * The v3 route: from a request to the operation it means, and its answer in the form asked for. Actions, links and the
 * method's override are told apart here; everything else is the type's.
 */
import type { IncomingMessage } from 'node:http';
import { schemaFields, type V3Data } from '@drover/api';
import { badRequest, invalid, methodNotAllowed, notFound, StatusError, unauthorized } from '@drover/base';
import { queryOf, renderError, renderPage } from '../api-ui/render.ts';
import { guardCsrf } from '../auth/index.ts';
import { openChannels } from '../cluster-shells/channel-socket.ts';
import type { ClusterShells } from '../cluster-shells/cluster-shells.ts';
import type { Page } from '../http/errors.ts';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import { identityOf, type KeptAnswer, KeptAnswers } from '../http/kept-answers.ts';
import { sendBytes } from '../http/send-bytes.ts';
import { gzippedOnce, takesGzip } from '../http/zip.ts';
import { clusterOf } from '../live/as-caller.ts';
import { rightsIn } from '../live/live-rights.ts';
import { openApiFor, openApiName } from '../openapi/answer.ts';
import { collectReads, type Reads } from '../resources/index.ts';
import type { ApiDeps, ApiRequest, ApiView, ServedType, V3Resource } from './behaviour.ts';
import { readBody } from './body.ts';
import { cutPage, describeQuery, parseFilters, parsePage, passes, sortData } from './collection.ts';
import {
  createOne,
  deleteOne,
  findCached,
  findStored,
  getOne,
  isVisible,
  listVisible,
  updateOne,
  type Visible,
} from './crud.ts';
import { formatOf } from './format.ts';
import { KeptLists } from './kept-lists.ts';
import { mayCreateSomewhere } from './may-somewhere.ts';
import { findType, servedTypes } from './registry.ts';
import { contextFilter, findSchema, refersTo, schemaCollection } from './schemas.ts';
import { collectionUrl } from './show.ts';
import { type RealmOf, subscriptions } from './subscribe.ts';
import { parseV3Path, type V3Target } from './url.ts';

const maxBodyBytes = 2 << 20;
const compressFrom = 4096;

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** JSON whatever was asked for: no page, nor YAML, which takes long for a large one. */
  readonly onlyJson?: boolean;
  /** What it was made of, where it may be given again. */
  readonly reads?: Reads;
}

/** The signed-in part of v3. Settings that anybody may read have a route of their own. */
export function v3Route(
  deps: ApiDeps,
  baseUrl: (request: IncomingMessage) => string,
  { realmOf, shells }: { readonly realmOf?: RealmOf; readonly shells: ClusterShells },
): Route {
  const subscribe = subscriptions(realmOf);
  const kept = new KeptAnswers();
  return {
    prefix: '/v3',
    signIn: 'user',
    errors: 'norman',
    errorPage: renderError,
    async handle(exchange, caller) {
      const base = baseUrl(exchange.request);
      const key = repeatKey(exchange, caller!, base);
      const again = key === undefined ? undefined : kept.find(key);
      if (again) return sendKept(kept, again, exchange);
      const target = parseV3Path(exchange.path);
      const headers = headersOf(base + target.schemasPath);
      for (const [name, value] of Object.entries(headers)) exchange.response.setHeader(name, value);
      const request = { ...viewOf(deps, target, { caller: caller!, base }), exchange };
      const method = methodOf(exchange);
      guardCsrf(exchange.request, exchange.response, { method, query: exchange.query });
      const answer = await dispatch(request, { target, method, realmOf });
      if (answer === 'handled') return;
      if (key === undefined || answer.reads === undefined) return send(request, answer);
      const { body, headers: own } = await bytesOf(request, answer);
      kept.keep(key, { body, headers: { ...headers, ...own } }, answer.reads);
      await sendBody(exchange, { status: answer.status, body, headers: own });
    },
    async upgrade(upgrade, caller) {
      if (!caller) throw unauthorized();
      const target = parseV3Path(upgrade.path);
      const base = baseUrl(upgrade.request);
      const shellIn = shellOf(target, upgrade.query);
      if (shellIn !== undefined) return openChannels({ deps, shells }, upgrade, { caller, base, clusterId: shellIn });
      if (!isSubscribe(target)) throw notFound('path for upgrades', upgrade.path);
      const view = viewOf(deps, target, { caller, base });
      if (target.context) await requireContext(view, target.context);
      await subscribe(view, upgrade);
    },
  };
}

const headersOf = (schemas: string) => ({
  'x-api-schemas': schemas,
  'x-api-cattle-auth': 'true',
  'cache-control': 'no-cache, no-store, must-revalidate',
  expires: 'Wed 24 Feb 1982 18:42:00 GMT',
});

/** What decides the bytes of an answer besides what it was made of; undefined where they are not to be kept. */
function repeatKey({ request, path, search }: Exchange, caller: Caller, base: string): string | undefined {
  if (request.method !== 'GET' || formatOf(request) !== 'json') return undefined;
  if (search !== '' && /[?&](?:_method|action)=/.test(search)) return undefined;
  if (request.headers['x-api-action-links'] !== undefined) return undefined;
  return `${base}${path}${search} ${identityOf(caller)}`;
}

/** What only reads shows no value of its own. */
const noQuery = new URLSearchParams();

async function sendKept(kept: KeptAnswers, answer: KeptAnswer, { request, response }: Exchange): Promise<void> {
  guardCsrf(request, response, { method: 'GET', query: noQuery });
  const isZipped = answer.body.length >= compressFrom && takesGzip(request);
  const bytes = isZipped ? await kept.zipped(answer) : answer.body;
  const { headers } = answer;
  response.writeHead(200, {
    ...headers,
    ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    'content-length': bytes.length,
  });
  await sendBytes(response, bytes);
}

const isSubscribe = ({ type, id }: V3Target) => type?.toLowerCase() === 'subscribe' && id === undefined;

/** `/v3/clusters/<id>?shell=true`: the cluster that a kubectl shell is wanted in. */
function shellOf({ context, type, id, link }: V3Target, query: URLSearchParams): string | undefined {
  const isOne = !context && /^clusters?$/i.test(type ?? '') && link === undefined && query.get('shell') === 'true';
  return isOne ? id : undefined;
}

function viewOf(
  deps: ApiDeps,
  { context, schemasPath }: V3Target,
  { caller, base }: { caller: Caller; base: string },
): ApiView {
  return { deps, caller, base, versionPath: schemasPath.replace(/\/schemas$/, ''), context };
}

function methodOf({ request, query }: Exchange): string {
  const method = (query.get('_method') ?? request.method ?? 'GET').toUpperCase();
  return query.get('action') === 'remove' && method === 'POST' ? 'DELETE' : method === 'HEAD' ? 'GET' : method;
}

async function dispatch(
  request: ApiRequest,
  { target, method, realmOf }: { readonly target: V3Target; readonly method: string; readonly realmOf?: RealmOf },
): Promise<Answer | 'handled'> {
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method)) throw methodNotAllowed(method, request.exchange.path);
  if (target.context) await requireContext(request, target.context);
  if (target.type === undefined) return { status: 200, body: rootOf(request) };
  if (/^schemas?$/i.test(target.type)) {
    if (target.id !== undefined) return { status: 200, body: findSchema(request, target.id) };
    const { made, reads } = collectReads(() => schemaCollection(request));
    return { status: 200, body: made, ...(request.context ? {} : { reads }) };
  }
  if (target.type === openApiName && !target.context && method === 'GET')
    return { status: 200, body: openApiFor(request), onlyJson: true };
  if (isSubscribe(target)) throw badRequest('this is where clients subscribe: it takes WebSocket upgrades only');
  const type = findType(target.type, target.context?.type);
  if (type?.context && realmOf) request = await withRights(request, realmOf);
  const own = ownLink(target);
  if (!type && own && method === 'GET') return followLink(request, own.type, own);
  if (!type || (type.context && type.context !== target.context?.type)) {
    throw new StatusError(404, 'NotFound', `failed to find schema ${target.type}`);
  }
  if (target.context && !type.context && !refersTo(type.declaration.id, target.context.type))
    throw new StatusError(404, 'NotFound', `failed to find schema ${target.type}`);
  const action = request.exchange.query.get('action');
  if (method === 'POST' && action) return runAction(request, type, { id: target.id, action });
  if (target.link !== undefined) return followLink(request, type, { id: target.id!, link: target.link });
  return target.id === undefined
    ? onCollection(request, type, method)
    : onResource(request, type, { id: target.id, method });
}

/** For what is in a cluster: what the caller may do with it there. */
const withRights = async (request: ApiRequest, realmOf: RealmOf): Promise<ApiRequest> => ({
  ...request,
  inCluster: await rightsIn(clusterOf(request), () => realmOf(request.caller, clusterOf(request))),
});

/** A context is there for those who may see it; to others it is not. */
async function requireContext(request: ApiView, context: { type: 'cluster' | 'project'; id: string }): Promise<void> {
  await findStored(request, findType(context.type)!, context.id);
}

function rootOf(request: ApiRequest): V3Data {
  const root = `${request.base}${request.versionPath}`;
  const listed = servedTypes.filter(
    ({ declaration, context }) => declaration.v3.collectionMethods.includes('GET') && context === request.context?.type,
  );
  const links = Object.fromEntries(listed.map(type => [type.declaration.pluralName, collectionUrl(request, type)]));
  return {
    type: 'apiRoot',
    baseType: 'apiRoot',
    apiVersion: { group: 'management.cattle.io', version: 'v3', path: request.versionPath },
    links: { self: root, root, schemas: `${root}/schemas`, subscribe: `${root}/subscribe`, ...links },
  };
}

async function onCollection(request: ApiRequest, type: ServedType, method: string): Promise<Answer> {
  const { declaration } = type;
  if (method === 'GET' && declaration.v3.collectionMethods.includes('GET')) return list(request, type);
  if (method === 'POST' && declaration.v3.collectionMethods.includes('POST')) {
    return {
      status: 201,
      body: await createOne(request, type, (await readBody(request.exchange.request, maxBodyBytes)) ?? {}),
    };
  }
  throw methodNotAllowed(method, declaration.pluralName);
}

/** By who asks for what, whatever the page: what he sees of it, filtered and sorted. */
const lists = new WeakMap<ApiDeps, KeptLists<Visible>>();

function listsOf(deps: ApiDeps): KeptLists<Visible> {
  let kept = lists.get(deps);
  if (!kept) lists.set(deps, (kept = new KeptLists()));
  return kept;
}

async function list(request: ApiRequest, type: ServedType): Promise<Answer> {
  const { made, reads } = collectReads(() => {
    const isHere = lookAtContext(request);
    if (type.behaviour.repeatable && isHere && isPaged(request.exchange)) {
      const rows = listsOf(request.deps).of(rowsKey(request), () => {
        const { all, link } = inOrder(request, type, listVisible(request, type) as Visible);
        return { rows: { all, link }, size: all.length };
      });
      return { isHere, body: collectionOf(request, type, rows) };
    }
    const visible = listVisible(request, type);
    if (visible instanceof Promise) return visible;
    return { isHere, body: collectionOf(request, type, inOrder(request, type, visible)) };
  });
  if (made instanceof Promise)
    return { status: 200, body: collectionOf(request, type, inOrder(request, type, await made)) };
  return { status: 200, body: made.body, ...(type.behaviour.repeatable && made.isHere ? { reads } : {}) };
}

const isPaged = ({ query }: Exchange): boolean => query.has('limit') || query.has('marker');

/** What decides the rows of a list besides what they are made of. */
function rowsKey({ exchange, caller, context }: ApiRequest): string {
  const query = new URLSearchParams(exchange.query);
  for (const name of ['limit', 'marker']) query.delete(name);
  return `${context?.type ?? ''} ${context?.id ?? ''} ${exchange.path} ${query} ${identityOf(caller)}`;
}

/** Those that the filters leave, in the order that is asked for. */
function inOrder(request: ApiRequest, type: ServedType, { all, link }: Visible): Visible {
  const fields = schemaFields(type.declaration);
  const query = queryOf(request.exchange);
  const filters = [...parseFilters(query, fields), ...contextFilter(request, type)];
  const found = filters.length > 0 ? all.filter(data => passes(data, filters, fields)) : all;
  return { all: sortData(found, parsePage(query, fields)), link };
}

/** Reads what decides that the caller is let into the context; false where the cache does not know it yet. */
function lookAtContext(request: ApiRequest): boolean {
  const { context } = request;
  if (!context) return true;
  const type = findType(context.type)!;
  const found = findCached(request, type, context.id);
  return found !== undefined && isVisible(request, type, found);
}

function collectionOf(request: ApiRequest, type: ServedType, { all, link }: Visible): V3Data {
  const { declaration } = type;
  const fields = schemaFields(declaration);
  const query = queryOf(request.exchange);
  const filters = [...parseFilters(query, fields), ...contextFilter(request, type)];
  const page = parsePage(query, fields);
  const url = new URL(`${request.base}${request.exchange.path}${request.exchange.search}`);
  const { data, pagination } = cutPage(all, page, url);
  const collection = collectionUrl(request, type);
  const actions = Object.keys(declaration.v3.collectionActions ?? {})
    .filter(name => type.behaviour.collectionAllowed?.[name]?.(request) ?? true)
    .map(name => [name, `${collection}?action=${name}`]);
  return {
    type: 'collection',
    resourceType: declaration.id,
    links: { self: `${url.origin}${url.pathname}` },
    createTypes: mayCreateSomewhere(request, type) ? { [declaration.id]: collection } : {},
    actions: Object.fromEntries(actions),
    pagination,
    ...describeQuery(filters, page, { fields, url }),
    data: data.map(one => link(request, one)),
  };
}

async function onResource(
  request: ApiRequest,
  type: ServedType,
  { id, method }: { id: string; method: string },
): Promise<Answer> {
  const { declaration } = type;
  if (!declaration.v3.resourceMethods.includes(method as 'GET')) throw methodNotAllowed(method, declaration.id);
  if (method === 'GET') return { status: 200, body: await getOne(request, type, id) };
  if (method === 'DELETE') {
    const left = await deleteOne(request, type, id);
    return left ? { status: 200, body: left } : { status: 204 };
  }
  const body = await readBody(request.exchange.request, maxBodyBytes);
  const replace = request.exchange.query.get('_replace') === 'true';
  return { status: 200, body: await updateOne(request, type, { id, body: body ?? {}, replace }) };
}

/** `/v3/clusters/<id>/<link>`: what is no type of a context may be a link of the resource that the context is. */
function ownLink({ context, type: link, id }: V3Target): { type: ServedType; id: string; link: string } | undefined {
  const type = context && id === undefined ? findType(context.type) : undefined;
  if (!context || !type || !link || !Object.hasOwn(type.behaviour.followLinks ?? {}, link)) return undefined;
  return { type, id: context.id, link };
}

async function followLink(
  request: ApiRequest,
  { behaviour }: ServedType,
  { id, link }: { id: string; link: string },
): Promise<Answer | 'handled'> {
  const follow = behaviour.followLinks && Object.hasOwn(behaviour.followLinks, link) && behaviour.followLinks[link];
  if (!follow) throw notFound('link', link);
  const answer = await follow(request, id);
  return answer === 'handled' ? answer : { status: 200, body: answer };
}

async function runAction(
  request: ApiRequest,
  type: ServedType,
  { id, action }: { id?: string; action: string },
): Promise<Answer | 'handled'> {
  const { declaration, behaviour } = type;
  const declared = id === undefined ? declaration.v3.collectionActions : declaration.v3.resourceActions;
  const unknown = () => invalid('action', `"${action}" is no action of ${declaration.id}`, 'InvalidAction');
  if (!declared || !Object.hasOwn(declared, action)) throw unknown();
  const input = async () => {
    const body = (await readBody(request.exchange.request, maxBodyBytes)) ?? {};
    if (typeof body !== 'object' || Array.isArray(body))
      throw invalid('body', 'must be an object', 'InvalidBodyContent');
    return body as V3Data;
  };
  if (id === undefined) {
    const run = behaviour.collectionActions?.[action];
    if (!run) throw unknown();
    const answer = await run(request, await input());
    return answer === 'handled' ? answer : { status: 200, body: answer };
  }
  const run = behaviour.actions?.[action];
  const resource = behaviour.source
    ? ((await behaviour.source.get(request, id)) as never)
    : await findStored(request, type, id);
  if (!run || (run.offered && !run.offered(request, resource))) throw unknown();
  const answer = await run.run(request, resource, await input());
  return answer === 'handled' ? answer : { status: 200, body: answer };
}

async function send(request: ApiRequest, answer: Answer): Promise<void> {
  const { response } = request.exchange;
  if (answer.body === undefined) {
    const headers: Record<string, string> = answer.status === 204 ? {} : { 'content-length': '0' };
    response.writeHead(answer.status, headers).end();
    return;
  }
  await sendBody(request.exchange, { status: answer.status, ...(await bytesOf(request, answer)) });
}

interface Encoded {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

async function bytesOf(request: ApiRequest, { body, onlyJson }: Answer): Promise<Encoded> {
  const format = onlyJson ? 'json' : formatOf(request.exchange.request);
  const all = { 'x-content-type-options': 'nosniff', vary: 'accept-encoding' };
  if (format === 'json') {
    const headers = { ...all, 'content-type': 'application/json' };
    return { body: jsonOf(renamed(request.exchange.request, body)), headers };
  }
  const { text, headers } = await encode(request, body, format);
  return { body: Buffer.from(text), headers: { ...all, ...headers } };
}

async function sendBody(
  { request, response }: Exchange,
  { status, body, headers }: Encoded & { readonly status: number },
): Promise<void> {
  const isZipped = body.length >= compressFrom && takesGzip(request);
  const bytes = isZipped ? await gzippedOnce(body) : body;
  response.writeHead(status, {
    ...headers,
    ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    'content-length': bytes.length,
  });
  if (request.method === 'HEAD') response.end();
  else await sendBytes(response, bytes);
}

async function encode(request: ApiRequest, body: unknown, format: 'html' | 'yaml'): Promise<Page> {
  if (format === 'html') return renderPage(request, body as V3Resource);
  return { text: (await import('yaml')).stringify(body), headers: { 'content-type': 'application/yaml' } };
}

/** What was given for a body that is answered again and again, to whomever; such a body is frozen. */
const encoded = new WeakMap<object, Buffer>();

function jsonOf(body: unknown): Buffer {
  const fresh = () => Buffer.from(JSON.stringify(body));
  if (typeof body !== 'object' || body === null || !Object.isFrozen(body)) return fresh();
  const bytes = encoded.get(body) ?? fresh();
  encoded.set(body, bytes);
  return bytes;
}

/** Clients whose language has no field `actions` to spare ask for another name. */
function renamed(request: IncomingMessage, body: unknown): unknown {
  if (request.headers['x-api-action-links'] === undefined || typeof body !== 'object' || body === null) return body;
  const rename = (value: V3Data): V3Data => {
    const { actions, ...rest } = value;
    return {
      ...rest,
      ...(actions ? { actionLinks: actions } : {}),
      ...(Array.isArray(rest['data']) ? { data: rest['data'].map(rename) } : {}),
    };
  };
  return rename(body as V3Data);
}
