/**
 * Schemas that come and go while the server runs: `/v3/schemas` shows them beside those of its own, never in their place, and without
 * methods, since no code stands behind them. Those of drivers follow the drivers.
 */
import type { DynamicSchema, V3Data } from '@drover/api';
import { invalid, methodNotAllowed } from '@drover/base';
import { isOfDriver } from '../controllers/driver-schemas.ts';
import type { Caches } from '../resources/index.ts';
import { type ApiRequest, type ApiView, behaviour } from './behaviour.ts';
import { ownSchemas } from './schemas.ts';

const idOf = ({ metadata, spec }: DynamicSchema): string => spec?.schemaName || metadata.name;

/** Those that stand in the list of schemas by themselves. */
export function standingSchemas({ dynamicSchema }: Pick<Caches, 'dynamicSchema'>): DynamicSchema[] {
  const found = [...dynamicSchema.all()].filter(
    ({ metadata, spec }) => !spec?.embed && !isOfDriver(metadata.name) && !metadata.deletionTimestamp,
  );
  return found.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

type DynamicField = Readonly<Record<string, unknown>> & {
  readonly type?: string;
  readonly default?: Readonly<Record<string, unknown>> | null;
};

const defaultOf: Readonly<Record<string, string>> = {
  string: 'stringValue',
  password: 'stringValue',
  int: 'intValue',
  boolean: 'boolValue',
  'array[string]': 'stringSliceValue',
};

/** As schemas spell a field out: `create` and `update` always, the rest only where it says something. */
function showField({ default: given, type = 'string', create, update, ...rest }: DynamicField): V3Data {
  const value = given?.[defaultOf[type] ?? ''];
  const said = Object.entries(rest).filter(([, one]) => one && !(Array.isArray(one) && one.length === 0));
  return {
    ...Object.fromEntries(said),
    type,
    create: create === true,
    update: update === true,
    dynamicField: true,
    ...(value === undefined || value === null ? {} : { default: value }),
  };
}

/** What a schema of them adds to an empty one. */
export function showDynamic(schema: DynamicSchema): V3Data {
  const { spec = {}, metadata } = schema;
  const fields = Object.entries((spec.resourceFields ?? {}) as Record<string, DynamicField>);
  return {
    id: idOf(schema),
    pluralName: spec.pluralName || `${idOf(schema)}s`,
    resourceFields: Object.fromEntries(fields.map(([name, field]) => [name, showField(field)])),
    dynamicSchemaVersion: metadata.resourceVersion,
  };
}

/** Throws what is wrong with a schema of somebody's. */
function check(request: ApiRequest, input: V3Data, { name, embed }: { name: string; embed: boolean }): V3Data {
  if (embed) throw invalid('embed', 'the types of this server take no further fields', 'InvalidOption');
  const id = String(input['schemaName'] || name).toLowerCase();
  const others = [...request.deps.caches.dynamicSchema.all()].filter(one => one.metadata.name !== name);
  const taken = [...ownSchemas(request).map(one => String(one['id'])), ...others.map(idOf)];
  if (taken.some(one => one.toLowerCase() === id))
    throw invalid('schemaName', `there is a schema "${id}" already`, 'NotUnique');
  return input;
}

const ofDriver =
  (method: string) =>
  (_: ApiView, { metadata: { name } }: DynamicSchema) =>
    isOfDriver(name) ? () => methodNotAllowed(method, 'the schema of a driver') : undefined;

export const dynamicSchemas = behaviour<DynamicSchema>({
  repeatable: true,
  prepareCreate(request, input) {
    const name = String(input['name'] ?? '');
    if (isOfDriver(name)) throw invalid('name', 'it is kept for a driver', 'NotUnique');
    return check(request, input, { name, embed: input['embed'] === true });
  },
  prepareUpdate(request, input, schema) {
    const { name } = schema.metadata;
    return check(request, { schemaName: schema.spec?.schemaName, ...input }, { name, embed: input['embed'] === true });
  },
  objections: { update: ofDriver('PUT'), delete: ofDriver('DELETE') },
  async remove(request, schema) {
    const { name, uid } = schema.metadata;
    await request.deps.resources.delete('dynamicSchema', { name, uid });
  },
});
