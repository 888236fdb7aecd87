/**
 * `/v3-public` and its schemas, for clients that find their way by them before anybody has signed in. Only what the providers
 * that are there lead to is shown.
 */
import { innerType } from '@drover/api';
import { notFound } from '@drover/base';
import known from './data/public-schemas.json' with { type: 'json' };

interface PublicSchema {
  readonly pluralName: string;
  readonly resourceFields: Readonly<Record<string, { readonly type: string }>>;
  readonly resourceActions: Readonly<Record<string, { readonly input?: string; readonly output?: string }>>;
  readonly collectionMethods: readonly string[];
}

const schemas = known as unknown as Readonly<Record<string, PublicSchema>>;
const version = { group: 'management.cattle.io', version: 'v3public', path: '/v3-public' };

/** The ids of all that the types lead to, themselves first. */
function reachable(ids: readonly string[]): Set<string> {
  const out = new Set<string>();
  const visit = (id: string | undefined): void => {
    const schema = id === undefined ? undefined : schemas[id];
    if (!schema || out.has(id!)) return;
    out.add(id!);
    for (const { type } of Object.values(schema.resourceFields)) visit(innerType(type));
    for (const { input, output } of Object.values(schema.resourceActions)) {
      visit(input);
      visit(output);
    }
  };
  ids.forEach(visit);
  return out;
}

export function publicRoot(base: string): Record<string, unknown> {
  const self = `${base}/v3-public`;
  return {
    type: 'apiRoot',
    baseType: 'apiRoot',
    apiVersion: version,
    links: { self, root: self, schemas: `${self}/schemas`, authProviders: `${self}/authproviders` },
  };
}

/** `types` are those of the providers that are there. */
export function publicSchemas(base: string, types: readonly string[]): Record<string, unknown> {
  const ids = reachable(['authProvider', 'authToken', ...types]);
  const data = [...ids].sort().map(id => publicSchema(base, id));
  return {
    type: 'collection',
    resourceType: 'schema',
    links: { self: `${base}/v3-public/schemas` },
    pagination: { limit: data.length, total: data.length },
    actions: {},
    data,
  };
}

/** One of them, its id in any case. */
export function findPublicSchema(base: string, types: readonly string[], id: string): Record<string, unknown> {
  const found = (publicSchemas(base, types)['data'] as readonly Record<string, unknown>[]).find(
    schema => String(schema['id']).toLowerCase() === id.toLowerCase(),
  );
  if (!found) throw notFound('schema', id.slice(0, 64));
  return found;
}

function publicSchema(base: string, id: string): Record<string, unknown> {
  const schema = schemas[id]!;
  const root = `${base}/v3-public`;
  const listed = schema.collectionMethods.length > 0;
  return {
    id,
    type: 'schema',
    baseType: 'schema',
    version,
    collectionActions: {},
    collectionFilters: {},
    ...schema,
    links: {
      self: `${root}/schemas/${id}`,
      ...(listed ? { collection: `${root}/${schema.pluralName.toLowerCase()}` } : {}),
    },
  };
}
