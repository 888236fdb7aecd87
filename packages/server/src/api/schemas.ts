/** `/v3/schemas` and those of a context: what each type is, with links for the way the client came. */
import {
  clouds,
  filterModifiers,
  openStruct,
  type SchemaFields,
  schemaFields,
  structSchemas,
  type V3Data,
} from '@drover/api';
import { notFound } from '@drover/base';
import { activeClouds } from '../controllers/driver-schemas.ts';
import type { ApiRequest, ApiView, ServedType } from './behaviour.ts';
import type { Filter } from './collection.ts';
import { showDynamic, standingSchemas } from './dynamic-schemas.ts';
import { engineSchemas, inputSchemas } from './input-schemas.ts';
import { maySomewhere, verbOf, type WritingMethod } from './may-somewhere.ts';
import { servedTypes } from './registry.ts';

const version = { group: 'management.cattle.io', version: 'v3', path: '/v3' };

function typeSchema(request: ApiRequest, type: ServedType, isOffered: (method: string) => boolean): V3Data {
  const { declaration } = type;
  const fields = schemaFields(declaration);
  const path = request.context || type.context ? request.versionPath : '/v3';
  const filters = Object.entries(fields).map(([name, field]) => [name, { modifiers: filterModifiers(field) }] as const);
  return {
    ...emptySchema(request, declaration.id),
    pluralName: declaration.pluralName,
    ...(type.context
      ? { version: { ...version, group: `${type.context}.cattle.io`, path: `/v3/${type.context}`, subContext: true } }
      : {}),
    resourceMethods: declaration.v3.resourceMethods.filter(isOffered),
    collectionMethods: declaration.v3.collectionMethods.filter(isOffered),
    resourceFields: fields,
    resourceActions: declaration.v3.resourceActions ?? {},
    collectionActions: declaration.v3.collectionActions ?? {},
    collectionFilters: Object.fromEntries(filters.filter(([, { modifiers }]) => modifiers.length > 0)),
    links: {
      self: schemaUrl(request, declaration.id),
      ...(declaration.v3.collectionMethods.length > 0
        ? { collection: `${request.base}${path}/${declaration.pluralName.toLowerCase()}` }
        : {}),
    },
  };
}

/** No resource: clients read from it where to open their WebSocket. */
function subscribeSchema(request: ApiRequest): V3Data {
  const path = request.context ? request.versionPath : '/v3';
  return {
    ...emptySchema(request, 'subscribe'),
    pluralName: 'subscribe',
    collectionMethods: ['GET'],
    links: { self: schemaUrl(request, 'subscribe'), collection: `${request.base}${path}/subscribe` },
  };
}

function structSchema(request: ApiRequest, id: string, fields: SchemaFields): V3Data {
  return { ...emptySchema(request, id), resourceFields: fields, links: { self: schemaUrl(request, id) } };
}

function emptySchema(_request: ApiRequest, id: string): V3Data {
  return {
    id,
    type: 'schema',
    baseType: 'schema',
    pluralName: `${id}s`,
    version,
    resourceMethods: [],
    collectionMethods: [],
    resourceFields: {},
    resourceActions: {},
    collectionActions: {},
    collectionFilters: {},
  };
}

const schemaUrl = (request: ApiRequest, id: string) => `${request.base}${request.versionPath}/schemas/${id}`;

/** The collections made last, by the way that the client came, what he may do, and which schemas come and go: nothing else decides them. */
const collections = new Map<string, SchemaCollection>();
const keepCollections = 64;

type SchemaCollection = V3Data & { readonly data: readonly V3Data[] };

/** A method of a type, by the type's place among those served. */
type Offer = `${number} ${string}`;

/** What the caller may do with none of a type. */
function notOffered(request: ApiRequest): ReadonlySet<Offer> {
  const methods = Object.keys(verbOf) as WritingMethod[];
  const none = servedTypes.flatMap((type, at) =>
    methods.filter(method => !maySomewhere(request, type, method)).map((method): Offer => `${at} ${method}`),
  );
  return new Set(none);
}

/** The collection of all of them as the caller is shown it; the same object for the same way and rights. */
export function schemaCollection(request: ApiRequest): SchemaCollection {
  return collectionWithout(request, notOffered(request));
}

/** Every schema of the request's context, those that come and go while the server runs included, whatever the caller may do. */
export function listSchemas(request: ApiRequest): readonly V3Data[] {
  return collectionWithout(request, new Set()).data;
}

function collectionWithout(request: ApiRequest, without: ReadonlySet<Offer>): SchemaCollection {
  const { base, versionPath, context } = request;
  const key = [base, versionPath, context?.type ?? '', [...without].join(), comingAndGoing(request)].join(' ');
  const kept = collections.get(key);
  if (kept) return kept;
  const data = allSchemas(request, without);
  const made = Object.freeze({
    type: 'collection',
    resourceType: 'schema',
    links: { self: `${base}${versionPath}/schemas` },
    pagination: { limit: data.length, total: data.length },
    actions: {},
    data,
  });
  if (collections.size >= keepCollections) collections.delete(collections.keys().next().value!);
  collections.set(key, made);
  return made;
}

/** Which of the schemas that drivers and clients bring there are now. */
function comingAndGoing({ deps: { caches } }: ApiView): string {
  const standing = standingSchemas(caches).map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  return [...standing, ...activeClouds(caches).map(({ id }) => id)].join();
}

function allSchemas(request: ApiRequest, without: ReadonlySet<Offer>): V3Data[] {
  const { caches } = request.deps;
  const isGone = goneFields(new Set(activeClouds(caches).map(({ field }) => field)));
  const own = ownSchemas(request, without).flatMap(schema => {
    const id = String(schema['id']);
    if (isGone(id)) return [];
    if (id !== 'cloudCredential') return [schema];
    const fields = Object.entries(schema['resourceFields'] as V3Data).filter(([name]) => !isGone(name));
    const filters = Object.entries(schema['collectionFilters'] as V3Data).filter(([name]) => !isGone(name));
    return [{ ...schema, resourceFields: Object.fromEntries(fields), collectionFilters: Object.fromEntries(filters) }];
  });
  if (request.context) return own;
  const brought = standingSchemas(caches).map(schema => {
    const shown = showDynamic(schema);
    const id = String(shown['id']);
    return { ...emptySchema(request, id), ...shown, links: { self: schemaUrl(request, id) } };
  });
  return [...own, ...brought].sort(byId);
}

const byId = (a: V3Data, b: V3Data) => (String(a['id']) < String(b['id']) ? -1 : 1);

/** The credential of a cloud goes with its driver. */
const goneFields = (active: ReadonlySet<string>) => {
  const gone = new Set(clouds.map(({ field }) => field).filter(field => !active.has(field)));
  return (name: string) => gone.has(name);
};

/** Those of the server's own types: a cluster's context has its own and those of the whole that are about it. */
export function ownSchemas(request: ApiRequest, without: ReadonlySet<Offer> = new Set()): V3Data[] {
  const inContext = servedTypes.filter(({ context, declaration }) =>
    request.context
      ? context === request.context.type || refersTo(declaration.id, request.context.type)
      : context === undefined,
  );
  const out = new Map<string, V3Data>();
  for (const type of inContext) {
    const at = servedTypes.indexOf(type);
    out.set(
      type.declaration.id,
      typeSchema(request, type, method => !without.has(`${at} ${method}`)),
    );
  }
  out.set('subscribe', subscribeSchema(request));
  for (const type of inContext) {
    for (const [id, fields] of Object.entries(structSchemas(type.declaration)))
      if (!out.has(id) && fields !== openStruct) out.set(id, structSchema(request, id, fields));
  }
  for (const [id, fields] of Object.entries({ ...inputSchemas, ...engineSchemas }))
    if (!out.has(id)) out.set(id, structSchema(request, id, fields));
  return [...out.values()].sort(byId);
}

export function refersTo(id: string, contextType: string): boolean {
  const type = servedTypes.find(({ declaration }) => declaration.id === id);
  if (!type) return false;
  return Object.values(schemaFields(type.declaration)).some(field => field.type === `reference[${contextType}]`);
}

/** In a cluster's or project's context only what is of it. */
export function contextFilter({ context }: ApiView, type: ServedType): Filter[] {
  if (!context || type.context) return [];
  const field = Object.entries(schemaFields(type.declaration)).find(
    ([, one]) => one.type === `reference[${context.type}]`,
  )?.[0];
  return field ? [{ field, modifier: 'eq', values: [context.id] }] : [];
}

export function findSchema(request: ApiRequest, id: string): V3Data {
  const found = schemaCollection(request).data.find(schema => String(schema['id']).toLowerCase() === id.toLowerCase());
  if (!found) throw notFound('schema', id);
  return found;
}
