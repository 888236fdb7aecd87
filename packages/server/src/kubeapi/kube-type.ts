/**
 * The types that are served as plain Kubernetes API: those of the management group that v3 serves from the store. What
 * can be done with each follows from v3's methods.
 */
import { type TypeDeclaration, type TypedResource, type TypeId, types } from '@drover/api';
import type { ServedType } from '../api/behaviour.ts';
import { findType } from '../api/registry.ts';

export type AnyResource = TypedResource<TypeId>;

export interface KubeType {
  readonly id: TypeId;
  readonly served: ServedType;
  readonly declaration: TypeDeclaration;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export const managementGroup = 'management.cattle.io';
export const managementVersion = 'v3';
export const managementApiVersion = `${managementGroup}/${managementVersion}`;

/** A token's key is in the answer to its creation, which v3 gives; preferences are each person's own, and no list of them makes sense. */
const readAndDelete: ReadonlySet<string> = new Set(['token']);
/** A setting is never gone: an empty value puts its default back. */
const stays: ReadonlySet<string> = new Set(['setting']);
const leftOut: ReadonlySet<string> = new Set(['preference']);

function verbsOf({ id, v3 }: TypeDeclaration): string[] {
  const only = readAndDelete.has(id);
  return [
    'get',
    'list',
    'watch',
    ...(v3.collectionMethods.includes('POST') && !only ? ['create'] : []),
    ...(v3.resourceMethods.includes('PUT') && !only ? ['update', 'patch'] : []),
    ...(v3.resourceMethods.includes('DELETE') && !stays.has(id) ? ['delete', 'deletecollection'] : []),
  ].sort();
}

export const kubeTypes: readonly KubeType[] = (Object.entries(types) as [TypeId, TypeDeclaration][]).flatMap(
  ([id, declaration]) => {
    const served = findType(declaration.id);
    if (declaration.group !== managementGroup || served?.stored !== id || leftOut.has(id)) return [];
    return [{ id, served, declaration, namespaced: declaration.scope === 'namespaced', verbs: verbsOf(declaration) }];
  },
);

const byResource = new Map(kubeTypes.map(type => [type.declaration.resource, type]));

export function findKubeType(resource: string): KubeType | undefined {
  return byResource.get(resource);
}
