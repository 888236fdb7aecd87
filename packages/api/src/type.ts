/**
 * Type: the one declaration of a resource type, as data. The v3 collection and schema, validation, TypeScript type,
 * CLI table and docs derive from it. Older types of this API keep fields beside metadata instead of in spec: `top`.
 */
import type { Resource } from '@drover/base/pure';
import type { Fields, TypeOf } from './field.ts';
import type { Structs } from './input.ts';
import type { SchemaFields } from './schema.ts';

export interface ActionDeclaration {
  /** The id of the schema of its input and output, where it has them. */
  readonly input?: string;
  readonly output?: string;
}

export interface TypeDeclaration<
  Top extends Fields = Fields,
  Spec extends Fields = Fields,
  Status extends Fields = Fields,
> {
  /** v3's id, e.g. `clusterRegistrationToken`: clients look types up by it. */
  readonly id: string;
  readonly pluralName: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The plural in Kubernetes paths, all lower case. */
  readonly resource: string;
  readonly scope: 'cluster' | 'namespaced';
  /** Begins generated names, e.g. `c-`. */
  readonly namePrefix: string;
  /** Fields that stand beside metadata. */
  readonly top?: Top;
  readonly spec?: Spec;
  readonly status?: Status;
  /** The value of this field of spec is one resource's alone, but where the field `unless` is true; people know it as `label`. */
  readonly unique?: { readonly field: string; readonly unless?: string; readonly label: string };
  readonly v3: V3Projection;
  /** The schema as it is, where it is not made from the fields above: a type that a cluster's own API stores. */
  readonly schema?: { readonly fields: SchemaFields; readonly structs: Structs };
  /** Columns of tables for people: a v3 field name each. */
  readonly columns?: readonly string[];
}

/** How the resource shows in v3, beyond the rules that hold for every type. */
export interface V3Projection {
  readonly collectionMethods: readonly ('GET' | 'POST')[];
  readonly resourceMethods: readonly ('GET' | 'PUT' | 'DELETE')[];
  readonly resourceActions?: Readonly<Record<string, ActionDeclaration>>;
  readonly collectionActions?: Readonly<Record<string, ActionDeclaration>>;
  /** Fields that no resource holds: worked out for whoever asks, such as a user's `me`. */
  readonly computed?: Fields;
  /** Whether `status.*` is lifted to the top as `spec.*` always is; otherwise it stays nested or, if `hidden`, is dropped. */
  readonly status?: 'lifted' | 'nested' | 'hidden';
  /** Where v3's `name` comes from: metadata.name is the `id`, and for display-name types `name` is a spec field. */
  readonly nameFrom?: 'metadata' | 'displayName';
  /** The v3 field whose id (its last part for `a:b`) is the namespace of a namespaced type, e.g. `clusterId`. */
  readonly namespaceFrom?: string;
}

/** The resource of a declared type, as TypeScript sees it. */
export type ResourceOf<D> =
  D extends TypeDeclaration<infer Top, infer Spec, infer Status>
    ? Resource<TypeOf<Spec>, TypeOf<Status>> & TypeOf<Top>
    : never;

export function defineType<
  const Top extends Fields = Record<never, never>,
  const Spec extends Fields = Record<never, never>,
  const Status extends Fields = Record<never, never>,
>(declaration: TypeDeclaration<Top, Spec, Status>): TypeDeclaration<Top, Spec, Status> {
  return declaration;
}

export function apiVersionOf(type: TypeDeclaration): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}
