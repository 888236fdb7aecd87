/**
 * The OpenAPI 3.1 document of v3, made from the same schemas that `/v3/schemas` shows: what a caller has no schema of is not
 * in his document either. Actions share a path with what they act on, so each path's POST takes `action` from the query.
 */
import type { SchemaFields } from '@drover/api';
import type { V3Schema } from '../api/v3-schema.ts';
import { type ComponentOf, fieldSchema, type JsonSchema, refTo, shownSchema } from './field-schema.ts';
import { pathsOf } from './paths.ts';
import { generalPaths, publicPaths, sharedComponents } from './shared.ts';

/** The schemas that hold below one path: the whole API's, or those of a cluster or a project. */
export interface SchemaSet {
  /** `/v3`, or `/v3/cluster/{clusterId}`. */
  readonly path: string;
  readonly context?: 'cluster' | 'project';
  readonly schemas: readonly V3Schema[];
  /** Links of a type's resources that answer something of their own, such as `yaml`; by the type's id. */
  readonly linksOf?: (id: string) => readonly string[];
}

export interface DocumentOptions {
  /** `https://host` as the client reaches this server. */
  readonly server: string;
  readonly version: string;
  /** v3 types of the sign-in providers, such as `localProvider`, by their names. */
  readonly providers: Readonly<Record<string, string>>;
}

export type OpenApiDocument = Readonly<Record<string, unknown>>;

export function openApiDocument(sets: readonly SchemaSet[], options: DocumentOptions): OpenApiDocument {
  const schemas: Record<string, JsonSchema> = {};
  const parameters: Record<string, JsonSchema> = {};
  const paths: Record<string, JsonSchema> = {};
  const known = new Map<string, string>();
  for (const set of sets) {
    const componentOf = namesIn(set, known);
    for (const schema of set.schemas) Object.assign(schemas, componentsOf(schema, componentOf));
    const made = pathsOf(set, componentOf);
    Object.assign(paths, made.paths);
    Object.assign(parameters, made.parameters);
  }
  const shared = sharedComponents();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Drover',
      version: options.version,
      description:
        'The management API. Every resource has links to follow and actions to call; both are absolute addresses. ' +
        'Kubernetes itself answers below `/k8s/clusters/{clusterId}`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.server }],
    security: [{ token: [] }, { basic: [] }, { session: [] }],
    tags: sets[0]!.schemas.filter(isCollection).map(({ pluralName }) => ({ name: pluralName })),
    paths: { ...publicPaths(options.providers), ...generalPaths(), ...paths },
    components: {
      ...shared,
      schemas: { ...shared.schemas, ...schemas },
      parameters: { ...shared.parameters, ...parameters },
    },
  };
}

const isCollection = ({ collectionMethods, id }: V3Schema) => collectionMethods.length > 0 && id !== 'subscribe';

/** A type that a context shows otherwise than those before it gets a name of its own there. `known` grows by what is new. */
function namesIn({ context, schemas }: SchemaSet, known: Map<string, string>): ComponentOf {
  const names = new Map<string, string>();
  for (const { id, resourceFields } of schemas) {
    const fields = JSON.stringify(resourceFields);
    if (!known.has(id)) known.set(id, fields);
    names.set(id, known.get(id) === fields ? id : `${context}.${id}`);
  }
  return id => names.get(id);
}

/** A struct is one component; a type is its resource, its collection, and what creating and changing it take. */
function componentsOf(schema: V3Schema, componentOf: ComponentOf): Record<string, JsonSchema> {
  const name = componentOf(schema.id)!;
  const fields = Object.entries(schema.resourceFields);
  if (schema.collectionMethods.length === 0 && schema.resourceMethods.length === 0)
    return { [name]: objectOf(schema.resourceFields, componentOf) };
  if (schema.id === 'subscribe') return {};
  const out: Record<string, JsonSchema> = {
    [name]: {
      allOf: [refTo('Resource'), { type: 'object', properties: shown(fields, componentOf) }],
    },
    [`${name}.collection`]: {
      allOf: [refTo('Collection'), { type: 'object', properties: { data: { type: 'array', items: refTo(name) } } }],
    },
  };
  if (schema.collectionMethods.includes('POST')) {
    const taken = fields.filter(([, field]) => field.create);
    out[`${name}.create`] = objectOf(Object.fromEntries(taken), componentOf);
  }
  if (schema.resourceMethods.includes('PUT')) {
    const taken = fields.filter(([, field]) => field.update);
    out[`${name}.update`] = { type: 'object', properties: properties(taken, componentOf) };
  }
  return out;
}

function objectOf(fields: SchemaFields, componentOf: ComponentOf): JsonSchema {
  const entries = Object.entries(fields);
  // The namespace is worked out from what the resource is of, whatever the schema says.
  const demanded = entries.filter(
    ([name, field]) => field.required && field.default === undefined && name !== 'namespaceId',
  );
  const required = demanded.map(([name]) => name);
  return {
    type: 'object',
    properties: properties(entries, componentOf),
    ...(required.length > 0 ? { required } : {}),
  };
}

function shown(fields: [string, SchemaFields[string]][], componentOf: ComponentOf): JsonSchema {
  return Object.fromEntries(fields.map(([name, field]) => [name, shownSchema(field, componentOf)]));
}

function properties(fields: [string, SchemaFields[string]][], componentOf: ComponentOf): JsonSchema {
  return Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(field, componentOf)]));
}
