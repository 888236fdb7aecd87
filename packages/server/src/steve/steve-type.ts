/**
 * SteveType: a type as `/v1` serves it, and its schema for one person. Ids are `<group>.<kind>` in lower case, and clients also come
 * with the plural, in whatever case.
 */
import type { ApiResource, ResourceRef } from '@drover/kube';
import type { Column } from './cache/ages.ts';
import { schemaIdOf } from './cache/relationships.ts';
import type { Rights } from './rbac.ts';

export interface SteveType {
  readonly id: string;
  readonly plural: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly ref: ResourceRef;
  /** Methods that are refused here whatever somebody's rights. */
  readonly blocked?: readonly Method[];
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The types of a cluster: one for each kind of a group, in the version that the cluster prefers. */
export function typesOf(resources: readonly ApiResource[]): Map<string, SteveType> {
  const types = new Map<string, SteveType>();
  for (const one of resources) {
    const id = schemaIdOf(one.apiVersion, one.kind);
    if (types.has(id)) continue;
    const slash = one.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : one.apiVersion.slice(0, slash);
    types.set(id, {
      id,
      plural: group ? `${group}.${one.resource}` : one.resource,
      group,
      version: one.apiVersion.slice(slash + 1),
      kind: one.kind,
      resource: one.resource,
      namespaced: one.namespaced,
      verbs: one.verbs,
      ref: { apiVersion: one.apiVersion, resource: one.resource, kind: one.kind, namespaced: one.namespaced },
    });
  }
  return types;
}

/** Finds a type by its id or plural, in any case. */
export function findType(types: ReadonlyMap<string, SteveType>, name: string): SteveType | undefined {
  const lower = name.toLowerCase();
  const direct = types.get(lower);
  if (direct) return direct;
  for (const type of types.values()) if (type.plural === lower) return type;
  return undefined;
}

interface Methods {
  readonly collection: readonly Method[];
  readonly resource: readonly Method[];
}

/** What somebody may do with the type at all. */
export function methodsOf(type: SteveType, rights: Rights): Methods {
  const may = (verb: string) => type.verbs.includes(verb) && rights.mayAny(verb, type);
  const reads = may('list') || may('get');
  return {
    collection: [...(reads ? (['GET'] as const) : []), ...(may('create') ? (['POST'] as const) : [])],
    resource: [
      ...(reads ? (['GET'] as const) : []),
      ...(may('delete') ? (['DELETE'] as const) : []),
      ...(may('update') ? (['PUT', 'PATCH'] as const) : may('patch') ? (['PATCH'] as const) : []),
    ],
  };
}

/** The schema as this person sees it; undefined where he may do nothing with the type. */
export function schemaOf(
  type: SteveType,
  { rights, root, columns }: { readonly rights: Rights; readonly root: string; readonly columns?: readonly Column[] },
): object | undefined {
  const { collection, resource } = methodsOf(type, rights);
  if (collection.length === 0 && resource.length === 0) return undefined;
  const marked = (methods: readonly Method[]) =>
    methods.map(method => (type.blocked?.includes(method) ? `blocked-${method}` : method));
  const { id, plural, group, version, kind, namespaced, verbs } = type;
  return {
    id,
    type: 'schema',
    links: {
      self: `${root}/schemas/${id}`,
      ...(collection.length > 0 ? { collection: `${root}/${plural}` } : {}),
    },
    description: '',
    pluralName: plural,
    ...(resource.length > 0 ? { resourceMethods: marked(resource) } : {}),
    ...(collection.length > 0 ? { collectionMethods: marked(collection) } : {}),
    resourceFields: null,
    attributes: {
      ...(columns
        ? { columns: columns.map((column, index) => ({ ...column, field: `$.metadata.fields[${index}]` })) }
        : { table: 'false' }),
      ...(type.blocked?.length
        ? { disallowMethods: Object.fromEntries(type.blocked.map(method => [method, true])) }
        : {}),
      group,
      kind,
      namespaced,
      resource: type.resource,
      verbs,
      version,
    },
  };
}
