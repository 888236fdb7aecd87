/** Writes of `/v1`: what a client sends made into what the API behind takes. Fields that only `/v1` shows are taken off again. */
import { forbidden, invalid, methodNotAllowed } from '@drover/base';
import type { Query as KubeQuery } from '@drover/kube';
import { readBody, readText } from '../api/body.ts';
import type { Exchange } from '../http/exchange.ts';
import { reserved } from './cache/row.ts';
import type { View } from './links.ts';
import type { Place, Written } from './realm.ts';
import { type Method, methodsOf, type SteveType } from './steve-type.ts';

const maxBodyBytes = 2 << 20;
const passed = [
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'propagationPolicy',
  'gracePeriodSeconds',
  'orphanDependents',
];
const patchTypes = /^application\/(json-patch\+json|merge-patch\+json|strategic-merge-patch\+json|apply-patch\+yaml)\b/;

type Json = Record<string, unknown>;

/** Creates, replaces, patches or deletes; `place` has no name where a new one is made. */
export async function write(
  view: View,
  type: SteveType,
  { exchange, method, place }: { exchange: Exchange; method: Method; place: Place },
): Promise<Written> {
  requireMethod(view, type, method, place.name === '' ? 'collection' : 'resource');
  const query: Record<string, string> = {};
  for (const name of passed) {
    const value = exchange.query.get(name);
    if (value !== null) query[name] = value;
  }
  const { realm } = view;
  if (method === 'DELETE') return realm.write(method, type, place, { query: query as KubeQuery, exchange });
  if (method === 'PATCH') {
    const contentType = exchange.request.headers['content-type'] ?? '';
    const known = patchTypes.test(contentType) ? contentType : 'application/strategic-merge-patch+json';
    const body = await readText(exchange.request, maxBodyBytes);
    return realm.write(method, type, place, { body, contentType: known, query, exchange });
  }
  const input = await readBody(exchange.request, maxBodyBytes);
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalid('body', 'must be an object', 'InvalidBodyContent');
  const body =
    method === 'POST' ? newObject(type, input as Json, place.namespace) : replacement(type, input as Json, place);
  const { namespace = '' } = body['metadata'] as { namespace?: string };
  return realm.write(method, type, { namespace, name: place.name }, { body, query, exchange });
}

/** Throws what it is answered where the method is not this person's, or nobody's. */
export function requireMethod(view: View, type: SteveType, method: Method, on: 'collection' | 'resource'): void {
  const refused = () => forbidden(`Method ${method} not supported`, { code: 'PermissionDenied' });
  if (type.blocked?.includes(method)) throw refused();
  if (method === 'GET' && on === 'collection' && !type.verbs.includes('list')) throw methodNotAllowed('GET', type.id);
  if (!methodsOf(type, view.rights)[on].includes(method)) throw refused();
}

function newObject(type: SteveType, input: Json, inPath: string): Json {
  const body = unwrapped(type, input);
  const metadata = { ...(body['metadata'] as Json | undefined) };
  const namespace = inPath || String(metadata['namespace'] ?? '');
  if (type.namespaced && !namespace) throw invalid('metadata.namespace', 'is required', 'MissingRequired');
  if (!metadata['name'] && !metadata['generateName']) metadata['generateName'] = generatedPrefix(type.kind);
  return {
    ...body,
    apiVersion: type.ref.apiVersion,
    kind: type.kind,
    metadata: { ...metadata, ...(type.namespaced ? { namespace } : {}) },
  };
}

/** The capitals of the kind: `cm-` for ConfigMap. */
function generatedPrefix(kind: string): string {
  return `${kind.replace(/[^A-Z]/g, '').toLowerCase() || 'x'}-`;
}

function replacement(type: SteveType, input: Json, { namespace, name }: Place): Json {
  const body = unwrapped(type, input);
  const metadata = { ...(body['metadata'] as Json | undefined) };
  if (!metadata['resourceVersion'])
    throw invalid('metadata.resourceVersion', 'is required for update', 'MissingRequired');
  return {
    ...body,
    apiVersion: type.ref.apiVersion,
    kind: type.kind,
    metadata: { ...metadata, name, ...(namespace ? { namespace } : {}) },
  };
}

/** Without what was put around it, and with its own fields of the same names back in their places. */
function unwrapped(type: SteveType, input: Json): Json {
  const body: Json = {};
  for (const [key, value] of Object.entries(input)) {
    const own = reserved.find(name => key === `_${name}`);
    if (own) body[own] = value;
    // A field `type` that is not the name of this type is the object's own: some clients send it so.
    else if (
      !(reserved as readonly string[]).includes(key) ||
      (key === 'type' && value !== type.id && value !== type.plural && !('_type' in input))
    )
      body[key] = value;
  }
  if (typeof body['metadata'] === 'object' && body['metadata'] !== null) {
    const { fields: _, relationships: __, state: ___, associatedData: ____, ...metadata } = body['metadata'] as Json;
    body['metadata'] = metadata;
  }
  const status = body['status'] as Json | undefined;
  if (Array.isArray(status?.['conditions'])) {
    const conditions = (status['conditions'] as Json[]).map(
      ({ error: _, transitioning: __, lastUpdateTime: ___, ...own }) => own,
    );
    body['status'] = { ...status, conditions };
  }
  return body;
}
