/** Call: one request for a type of the management group, taken apart: who asks, for what, in which form he wants the answer. */
import { badRequest, notFound, StatusError } from '@drover/base';
import type { ApiRequest } from '../api/behaviour.ts';
import { findKubeType, type KubeType } from './kube-type.ts';

export type Form = 'plain' | 'Table' | 'PartialObjectMetadata';

export interface Call {
  readonly request: ApiRequest;
  readonly type: KubeType;
  readonly namespace?: string;
  readonly name?: string;
  readonly query: URLSearchParams;
  readonly form: Form;
}

export interface Target {
  readonly type: KubeType;
  readonly namespace?: string;
  readonly name?: string;
}

/** What a path below `/apis/management.cattle.io/v3/` names. Throws NotFound for what is not served. */
export function parseTarget(path: string): Target {
  const segments = path.split('/').filter(segment => segment !== '');
  const inNamespace = segments[0] === 'namespaces' && segments.length >= 3;
  const [resource = '', name, subresource] = inNamespace ? segments.slice(2) : segments;
  const type = findKubeType(resource);
  const namespace = inNamespace ? decoded(segments[1]!) : undefined;
  const fits = type && (type.namespaced ? namespace !== undefined || name === undefined : namespace === undefined);
  if (!fits || subresource !== undefined)
    throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
  return {
    type,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name: decoded(name) }),
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw notFound('path', segment);
  }
}

/** The form that `Accept` asks for first among those there are; throws NotAcceptable where none is. */
export function formOf(accept: string | undefined): Form {
  const ranges = (accept || '*/*').split(',').map(range => range.trim().split(/\s*;\s*/));
  for (const [media = '', ...parameters] of ranges) {
    if (!/^(application\/json|application\/\*|\*\/\*)$/i.test(media)) continue;
    const as = parameters.find(one => /^as=/i.test(one))?.slice(3);
    const group = parameters.find(one => /^g=/i.test(one))?.slice(2) ?? 'meta.k8s.io';
    if (as === undefined) return 'plain';
    if (group !== 'meta.k8s.io') continue;
    if (as === 'Table') return 'Table';
    if (/^PartialObjectMetadata(List)?$/.test(as)) return 'PartialObjectMetadata';
  }
  throw new StatusError(406, 'NotAcceptable', 'only application/json is served here');
}

export function isOn(query: URLSearchParams, name: string): boolean {
  return /^(1|t|true)$/i.test(query.get(name) ?? '');
}

/** Whether it is a dry run. Throws BadRequest for another kind of one than there is. */
export function isDryRun(query: URLSearchParams, fromBody?: unknown): boolean {
  const asked = [...query.getAll('dryRun'), ...(Array.isArray(fromBody) ? fromBody : [])].filter(one => one !== '');
  if (asked.some(one => one !== 'All')) throw badRequest('dryRun must be All');
  return asked.length > 0;
}
