/**
 * Live type: a type of a cluster's own API as v3 shows it. Nothing of it is stored here: it is read from the cluster,
 * mapped, and what a client changes is put into the cluster's object, where fields that v3 has no word for stay.
 */
import { defineType, type TypeDeclaration } from '../type.ts';
import { type LiveContext, liveSchema, structsOf } from './live-schemas.ts';
import type { Op } from './ops.ts';

export interface LiveType {
  readonly id: string;
  readonly context: LiveContext;
  /** `v1` or `group/version` of the cluster's API. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  /** Whether v3 lifts a spec; what has none keeps its fields beside metadata. */
  readonly hasSpec: boolean;
  /** Steps inside the spec, before it is lifted. */
  readonly spec: readonly Op[];
  /** Steps for the whole, after it. */
  readonly ops: readonly Op[];
  /** Of a collection that others share: which objects are of this type. */
  readonly fieldSelector?: string;
  /** Set on every object of the type that is made. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** Begins its ids where several kinds share one collection, such as `deployment:`. */
  readonly idPrefix?: string;
  /** The type that it is shown as a kind of. */
  readonly baseType?: string;
  readonly declaration: TypeDeclaration;
}

type Given = Omit<LiveType, 'declaration' | 'spec' | 'ops' | 'hasSpec'> & {
  readonly spec?: readonly Op[];
  readonly ops?: readonly Op[];
};

export function liveType(given: Given): LiveType {
  const { id, context, apiVersion, kind, resource, namespaced } = given;
  const schema = liveSchema(context, id);
  const [group = '', version = apiVersion] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const declaration = defineType({
    id,
    pluralName: schema.pluralName,
    group,
    version,
    kind,
    resource,
    scope: namespaced ? 'namespaced' : 'cluster',
    namePrefix: `${id.toLowerCase()}-`,
    schema: { fields: schema.fields, structs: structsOf(context, schema.fields) },
    v3: {
      collectionMethods: schema.collectionMethods ?? [],
      resourceMethods: schema.resourceMethods ?? [],
      resourceActions: schema.resourceActions ?? {},
    },
  });
  return { ...given, hasSpec: given.spec !== undefined, spec: given.spec ?? [], ops: given.ops ?? [], declaration };
}
