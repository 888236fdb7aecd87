/** What `/v1` says about itself: the root with a link for each type, and the schemas as one person sees them. */
import type { View } from './links.ts';
import { methodsOf, type SteveType, schemaOf } from './steve-type.ts';

type Json = Record<string, unknown>;

/** Types that `/v1` makes up by itself: no cluster has them. */
const builtIn: readonly {
  readonly id: string;
  readonly plural: string;
  readonly collection: readonly string[];
  readonly resource: readonly string[];
  readonly fields: Json;
}[] = [
  {
    id: 'apiRoot',
    plural: 'apiRoots',
    collection: ['GET'],
    resource: ['GET'],
    fields: { apiVersion: { type: 'map[json]' }, path: { type: 'string' } },
  },
  {
    id: 'count',
    plural: 'counts',
    collection: ['GET'],
    resource: ['GET'],
    fields: { counts: { type: 'map[itemCount]', create: true, update: true } },
  },
  {
    id: 'schema',
    plural: 'schemas',
    collection: ['GET'],
    resource: ['GET'],
    fields: { attributes: { type: 'map[json]' }, pluralName: { type: 'string' } },
  },
  { id: 'subscribe', plural: 'subscribe', collection: ['GET'], resource: [], fields: {} },
  {
    id: 'userpreference',
    plural: 'userpreferences',
    collection: ['GET'],
    resource: ['GET', 'PUT', 'DELETE'],
    fields: { data: { type: 'map[string]', create: true, update: true } },
  },
];

export function rootCollection({ root, base }: View, types: readonly SteveType[], view: View): object {
  const listed = types.filter(type => methodsOf(type, view.rights).collection.includes('GET'));
  const plurals = [...builtIn.map(type => type.plural), ...listed.map(type => type.plural)].sort();
  const links = Object.fromEntries(plurals.map(plural => [plural, `${root}/${plural}`]));
  return {
    type: 'collection',
    links: { self: root },
    actions: {},
    resourceType: 'apiRoot',
    data: [
      {
        id: 'v1',
        type: 'apiRoot',
        links: { ...links, root, schemas: root, self: root },
        apiVersion: { version: 'v1' },
      },
      { id: 'proxy', type: 'apiRoot', links: { root: `${base}/apis`, self: `${root}/apiRoots/proxy` } },
    ],
  };
}

export function builtInSchemas(root: string): Json[] {
  return builtIn.map(({ id, plural, collection, resource, fields }) => ({
    id,
    type: 'schema',
    links: { self: `${root}/schemas/${id}`, ...(collection.length > 0 ? { collection: `${root}/${plural}` } : {}) },
    pluralName: plural,
    ...(resource.length > 0 ? { resourceMethods: resource } : {}),
    ...(collection.length > 0 ? { collectionMethods: collection } : {}),
    resourceFields: fields,
    attributes: {},
  }));
}

/** The schema of a type with its printer columns; undefined where this person may do nothing with it. */
export async function kubeSchema(view: View, type: SteveType): Promise<object | undefined> {
  const { rights, root, realm } = view;
  if (!schemaOf(type, { rights, root })) return undefined;
  return schemaOf(type, { rights, root, columns: await realm.columns(type) });
}

export async function schemaCollection(view: View, types: readonly SteveType[]): Promise<object> {
  const found = await Promise.all(types.map(type => kubeSchema(view, type)));
  return {
    type: 'collection',
    links: { self: `${view.root}/schemas` },
    actions: {},
    resourceType: 'schema',
    data: [...builtInSchemas(view.root), ...found.filter(schema => schema !== undefined)],
  };
}
