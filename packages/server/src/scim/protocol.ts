/** What SCIM 2.0 fixes for all resources (RFC 7643, RFC 7644): names of schemas, errors, pages, filters and patches. */
import { StatusError } from '@drover/base';
import { patchBodyValidation, type ScimPatchOperation, type ScimResource, scimPatch } from 'scim-patch';
import { predicate } from './filter.ts';

export const schemas = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  config: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
} as const;

export type Scim = Readonly<Record<string, unknown>>;

/** A fault in SCIM's own words: `scimType` is one of RFC 7644's, table 9. */
export function scimError(status: number, scimType: string, message: string): StatusError {
  return new StatusError(status, status === 409 ? 'Conflict' : 'BadRequest', message, { details: { code: scimType } });
}

export const invalidValue = (message: string): StatusError => scimError(400, 'invalidValue', message);

export function errorBody({ status, message, details }: StatusError): Scim {
  const own = /^(?:invalid\w+|uniqueness|mutability|noTarget|tooMany|sensitive)$/.test(details.code ?? '');
  return {
    schemas: [schemas.error],
    status: String(status),
    detail: message,
    ...(own ? { scimType: details.code } : {}),
  };
}

const mostPerPage = 200;

/** One page of what the filter lets through. `startIndex` counts from 1. */
export function listAnswer(all: readonly Scim[], query: URLSearchParams): Scim {
  const found = all.filter(predicate(query.get('filter')));
  const start = Math.max(1, whole(query, 'startIndex', 1));
  const count = Math.min(mostPerPage, Math.max(0, whole(query, 'count', 100)));
  const page = found.slice(start - 1, start - 1 + count);
  const shown = page.map(one => asAsked(one, query));
  return {
    schemas: [schemas.list],
    totalResults: found.length,
    startIndex: start,
    itemsPerPage: shown.length,
    Resources: shown,
  };
}

/** Always shown (RFC 7643, section 7). */
const always: ReadonlySet<string> = new Set(['schemas', 'id']);

/** The resource with the attributes that the query wants, or without those that it does not. */
export function asAsked(one: Scim, query: URLSearchParams): Scim {
  const names = (list: string) =>
    new Set(
      (query.get(list) ?? '')
        .split(',')
        .map(name => (name.trim().toLowerCase().split(':').at(-1) ?? '').split('.')[0]!)
        .filter(Boolean),
    );
  const [wanted, without] = [names('attributes'), names('excludedAttributes')];
  if (wanted.size === 0 && without.size === 0) return one;
  const isShown = (name: string) => (wanted.size > 0 ? wanted.has(name) : !without.has(name));
  return Object.fromEntries(Object.entries(one).filter(([name]) => always.has(name) || isShown(name.toLowerCase())));
}

function whole(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^-?\d{1,9}$/.test(text)) throw invalidValue(`${name} must be a whole number`);
  return Number(text);
}

const mostOperations = 1000;

/** The resource with the operations done; the one given stays as it is. */
export function patched<T extends Scim>(resource: T, body: unknown): T {
  try {
    patchBodyValidation(body as never);
    const operations = (body as { Operations: ScimPatchOperation[] }).Operations;
    if (operations.length > mostOperations) throw new Error(`at most ${mostOperations} operations are taken`);
    return scimPatch(structuredClone(resource) as unknown as ScimResource, operations, {
      mutateDocument: true,
    }) as unknown as T;
  } catch (error) {
    const { message, scimCode } = error as { message?: string; scimCode?: string };
    throw scimError(400, scimCode ?? 'invalidSyntax', message || 'the patch is none of RFC 7644');
  }
}

export function textOf(value: unknown, name: string, longest = 512): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || value.length > longest) throw invalidValue(`${name} must be a text`);
  return value;
}
