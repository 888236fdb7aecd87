/**
 * Where a resource stands in the store: `/resources/<group>/<plural>/<namespace or ->/<name>`, so that a type, and a
 * namespace of it, is a prefix.
 */
import type { TypeDeclaration } from '@drover/api';
import { keyOf } from '@drover/base';

const clusterScope = '-';

export function prefixOf(type: TypeDeclaration, namespace?: string): string {
  const all = `/resources/${type.group || 'core'}/${type.resource}/`;
  if (namespace === undefined) return all;
  return `${all}${namespace || clusterScope}/`;
}

export function storeKey(type: TypeDeclaration, name: string, namespace?: string): string {
  return `${prefixOf(type, namespace ?? '')}${name}`;
}

/** The cache's key (`namespace/name` or `name`) of a store key of this type. */
export function cacheKey(type: TypeDeclaration, key: string): string {
  const [namespace, name] = key.slice(prefixOf(type).length).split('/');
  return keyOf({ name: name!, namespace: namespace === clusterScope ? undefined : namespace });
}
