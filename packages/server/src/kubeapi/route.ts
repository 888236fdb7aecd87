/**
 * The management types as plain Kubernetes API, under `/k8s/clusters/local`: kubectl and client-go work with them as with
 * any cluster's. What is not of this group goes on to the local cluster; where there is none, this stands alone.
 */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { badRequest, forbidden, isNotFound, methodNotAllowed, StatusError } from '@drover/base';
import type { ApiDeps, ApiRequest } from '../api/behaviour.ts';
import { isIdentityHeader } from '../auth/index.ts';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import { RightsKeys } from '../subscribe/rights-key.ts';
import { type Call, formOf, isOn, parseTarget, type Target } from './call.ts';
import { contentTypeOf, discoveryForm, emptyCore, groupList, ownGroup, ownResources } from './discovery.ts';
import { managementApiVersion, managementGroup } from './kube-type.ts';
import { askLocal, hasLocal, localCluster } from './local.ts';
import { groupOpenApi, mergedV2, openApiIndex } from './openapi.ts';
import { answerList, formed, getObject, listObjects } from './read.ts';
import { readReview } from './review-body.ts';
import { reviewAccess, reviewPath } from './reviews.ts';
import { showObject } from './show.ts';
import { statusFor } from './status.ts';
import { Watches } from './watch.ts';
import { createObject, deleteObject, patchObject, readDeleteOptions, updateObject } from './write.ts';

const compress = promisify(gzip);
const compressFrom = 16_384;
const groupPath = `/apis/${managementGroup}`;
const versionPath = `/apis/${managementApiVersion}`;

export interface KubeApiParts {
  readonly deps: ApiDeps;
  readonly baseUrl: (request: IncomingMessage) => string;
  readonly serverVersion: string;
  /** The proxy's routes: what is not ours goes on through the one of the same prefix. */
  readonly through: readonly Route[];
}

export function kubeApiRoutes({ deps, baseUrl, serverVersion, through }: KubeApiParts): Route[] {
  const watches = new Watches(new RightsKeys(deps.auth.access));
  return ['/k8s/clusters', '/k8s/proxy'].map(start => {
    const prefix = `${start}/${localCluster}`;
    const beyond = through.find(route => route.prefix === start);
    return {
      prefix,
      takes: path => !hasLocal({ deps }) || isOurs(path.slice(prefix.length)),
      signIn: 'user',
      // As on all paths where pages of clusters share our origin.
      cookies: false,
      errors: 'status',
      async handle(exchange, caller) {
        const path = exchange.path.slice(prefix.length);
        if (beyond && hasLocal({ deps }) && goesOn(path, exchange.request)) return beyond.handle(exchange, caller);
        const request = { deps, caller: caller!, base: baseUrl(exchange.request), versionPath: '/v3', exchange };
        requireOwnIdentity(exchange, caller!);
        await answer({ request, watches, serverVersion }, path);
      },
      ...(beyond?.upgrade ? { upgrade: (upgrade, caller) => beyond.upgrade!(upgrade, caller) } : {}),
    } satisfies Route;
  });
}

const ours: ReadonlySet<string> = new Set([
  '/apis',
  groupPath,
  '/openapi/v2',
  '/openapi/v3',
  `/openapi/v3${versionPath}`,
  reviewPath,
]);

function isOurs(path: string): boolean {
  const plain = path.replace(/\/$/, '');
  return ours.has(plain) || plain.startsWith(`${groupPath}/`);
}

/** Whatever else than posting is done with reviews is not ours, nor are documents in a form that only a kube-apiserver writes. */
function goesOn(path: string, { method, headers }: IncomingMessage): boolean {
  const plain = path.replace(/\/$/, '');
  if (plain === reviewPath) return method !== 'POST';
  return plain === '/openapi/v2' && !/json|\*/.test(headers.accept ?? '*/*');
}

/** `--as` is for clusters: here nobody acts as another, and to take no notice of the wish would be worse than to refuse it. */
function requireOwnIdentity({ request }: Exchange, { clusterId }: Caller): void {
  const { rawHeaders } = request;
  if (rawHeaders.some((name, index) => index % 2 === 0 && isIdentityHeader(name)))
    throw forbidden(`impersonation is not supported for ${managementGroup}`);
  if (clusterId !== undefined && clusterId !== localCluster)
    throw forbidden(`this token is for cluster "${clusterId}" only`);
}

interface Asked {
  readonly request: ApiRequest;
  readonly watches: Watches;
  readonly serverVersion: string;
}

async function answer(asked: Asked, written: string): Promise<void> {
  const { request } = asked;
  const path = written.replace(/\/$/, '');
  if (path.startsWith(`${versionPath}/`)) return answerType(asked, path.slice(versionPath.length));
  const { method } = request.exchange.request;
  if (path === reviewPath && method === 'POST') return answerReview(request);
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method ?? '', path);
  const document = await documentAt(asked, path);
  if (!document) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
  await send(request, 200, document.body, document.contentType);
}

async function answerReview(request: ApiRequest): Promise<void> {
  const { body, sent } = await readReview(request.exchange.request);
  await send(request, 201, await reviewAccess(request, body, sent));
}

interface Document {
  readonly body: unknown;
  readonly contentType?: string;
}

async function documentAt({ request, serverVersion }: Asked, path: string): Promise<Document | undefined> {
  const { accept } = request.exchange.request.headers;
  const form = discoveryForm(accept);
  switch (path) {
    case '/apis': {
      const local = await askLocal(request, '/apis', contentTypeOf(form));
      return { body: groupList(form, local), contentType: contentTypeOf(form) };
    }
    case '/api':
      return { body: emptyCore(form), contentType: contentTypeOf(form) };
    case '/openapi/v3':
      return { body: openApiIndex(await askLocal(request, path, 'application/json')) };
    case `/openapi/v3${versionPath}`:
      return { body: groupOpenApi() };
    case '/openapi/v2':
      return { body: mergedV2(await askLocal(request, path, 'application/json')) };
    case '/version':
      return { body: versionInfo(serverVersion) };
    case groupPath:
      return { body: { kind: 'APIGroup', apiVersion: 'v1', ...ownGroup } };
    case versionPath:
      return { body: ownResources() };
  }
  return undefined;
}

/** Clients compare the minor version with their own; this API keeps to what Kubernetes 1.30 and later have. */
function versionInfo(serverVersion: string) {
  return {
    major: '1',
    minor: '36',
    gitVersion: `v1.36.0+drover-${serverVersion.replace(/^v/, '').replace(/[^\w.-]/g, '-')}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  };
}

async function answerType({ request, watches }: Asked, path: string): Promise<void> {
  const target = parseTarget(path);
  try {
    const { exchange } = request;
    const call: Call = { request, ...target, query: exchange.query, form: formOf(exchange.request.headers.accept) };
    await dispatch(call, watches);
  } catch (error) {
    if (!(error instanceof StatusError) || request.exchange.response.headersSent) throw error;
    refuse(request, error, target);
  }
}

async function dispatch(call: Call, watches: Watches): Promise<void> {
  const { request, name, query, type } = call;
  const { method = 'GET' } = request.exchange.request;
  const verb = (name === undefined ? collectionVerbs : objectVerbs)[method];
  if (!verb || !type.verbs.includes(verb) || (verb === 'create' && type.namespaced && call.namespace === undefined))
    throw methodNotAllowed(method, `${type.declaration.resource}${name === undefined ? '' : ` "${name}"`}`);
  switch (verb) {
    case 'list':
    case 'get':
      if (isOn(query, 'watch')) return watches.answer(call);
      return send(request, 200, name === undefined ? await answerList(call) : await getObject(call));
    case 'delete':
      return answerDelete(call);
    case 'deletecollection':
      return answerDeleteAll(call);
    default: {
      const write = { create: createObject, update: updateObject, patch: patchObject }[verb]!;
      const { status, object } = await write(call);
      return send(request, status, formed(call, object));
    }
  }
}

const collectionVerbs: Readonly<Record<string, string>> = {
  GET: 'list',
  HEAD: 'list',
  POST: 'create',
  DELETE: 'deletecollection',
};
const objectVerbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

async function answerDelete(call: Call): Promise<void> {
  const { request, type } = call;
  const { was, left } = await deleteObject(call, await readDeleteOptions(call));
  if (left) return send(request, 200, formed(call, showObject(request, type, left)));
  const { group, resource } = type.declaration;
  const details = { name: was.metadata.name, group, kind: resource, uid: was.metadata.uid };
  return send(request, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
}

/** One after the other, each by its own rights: the first that is refused ends it, and those before it are gone. */
async function answerDeleteAll(call: Call): Promise<void> {
  const options = await readDeleteOptions(call);
  const { objects } = await listObjects(call);
  for (const { metadata } of objects)
    await deleteObject({ ...call, name: metadata.name, namespace: metadata.namespace }, options).catch(error => {
      if (!isNotFound(error)) throw error;
    });
  const items = objects.map(one => showObject(call.request, call.type, one));
  const { kind } = call.type.declaration;
  await send(call.request, 200, { kind: `${kind}List`, apiVersion: managementApiVersion, metadata: {}, items });
}

function refuse({ exchange }: ApiRequest, error: StatusError, target: Target): void {
  const { request, response } = exchange;
  const text = JSON.stringify(statusFor(error, target));
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
  // A body that nobody will read must not be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(error.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function send({ exchange }: ApiRequest, status: number, body: unknown, type = 'application/json'): Promise<void> {
  const { request, response } = exchange;
  const text = JSON.stringify(body);
  if (text === undefined) throw badRequest('nothing to answer');
  const zipped = text.length > compressFrom && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const bytes = zipped ? await compress(text) : Buffer.from(text);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-cache, private',
    vary: 'Accept, Accept-Encoding',
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
