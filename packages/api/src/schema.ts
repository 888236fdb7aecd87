/**
 * The v3 schema of a declared type: what `/v3/schemas` shows and what input is checked against. Made from the declaration
 * and the fields that every type has.
 */
import type { Field, Fields } from './field.ts';
import type { TypeDeclaration } from './type.ts';

/** A field as v3's schemas spell it out: create and update always, the rest only where it says something. */
export interface SchemaField {
  readonly type: string;
  readonly create: boolean;
  readonly update: boolean;
  readonly nullable?: true;
  readonly required?: true;
  readonly writeOnly?: true;
  readonly default?: unknown;
  readonly options?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly validChars?: string;
  readonly invalidChars?: string;
  readonly description?: string;
}

export type SchemaFields = Readonly<Record<string, SchemaField>>;

export function toSchemaField(field: Field): SchemaField {
  const {
    as: _,
    secret: __,
    of: ___,
    typed: ____,
    open: _____,
    nullable = true,
    create = true,
    update = true,
    ...rest
  } = field;
  const out: Record<string, unknown> = { ...rest, create, update };
  if (nullable) out['nullable'] = true;
  for (const flag of ['required', 'writeOnly']) if (!out[flag]) delete out[flag];
  return out as unknown as SchemaField;
}

const readOnly = { create: false, update: false } as const;
const namespaceReference = 'reference[/v3/clusters/schemas/namespace]';

const metadataFields: Fields = {
  annotations: { type: 'map[string]' },
  created: { type: 'date', ...readOnly },
  creatorId: { type: 'reference[/v3/schemas/user]', nullable: false, ...readOnly },
  labels: { type: 'map[string]' },
  ownerReferences: { type: 'array[ownerReference]', ...readOnly },
  removed: { type: 'date', ...readOnly },
  uuid: { type: 'string', ...readOnly },
};

const stateFields: Fields = {
  state: { type: 'string', nullable: false, ...readOnly },
  transitioning: { type: 'enum', options: ['yes', 'no', 'error'], nullable: false, ...readOnly },
  transitioningMessage: { type: 'string', nullable: false, ...readOnly },
};

/** Whether the type's state is worked out from its conditions. */
export function hasState(type: TypeDeclaration): boolean {
  return type.status !== undefined && (type.v3.status === 'lifted' || type.v3.status === 'nested');
}

/** The v3 name of a declared field. */
export function v3Name(name: string, field: Field): string {
  return field.as ?? name;
}

/** The declared fields that v3 has at the top, by their v3 names; secret ones are not among them. */
export function liftedFields(type: TypeDeclaration): Record<string, Field> {
  const out: Record<string, Field> = {};
  const parts = [type.top, type.spec, type.v3.status === 'lifted' ? type.status : undefined];
  for (const fields of parts) {
    for (const [name, field] of Object.entries(fields ?? {})) {
      const shown = v3Name(name, field);
      if (!field.secret && !(shown in out)) out[shown] = field;
    }
  }
  return out;
}

const fieldsOf = new WeakMap<TypeDeclaration, SchemaFields>();

/** All fields of the type's schema. */
export function schemaFields(type: TypeDeclaration): SchemaFields {
  if (type.schema) return type.schema.fields;
  let fields = fieldsOf.get(type);
  if (!fields) {
    fields = Object.freeze(derivedFields(type));
    fieldsOf.set(type, fields);
  }
  return fields;
}

function derivedFields(type: TypeDeclaration): SchemaFields {
  const named: Fields =
    type.v3.nameFrom === 'metadata'
      ? { name: { type: 'dnsLabel', update: false } }
      : { id: { type: 'dnsLabel', ...readOnly } };
  const namespaced: Fields =
    type.scope === 'namespaced' ? { namespaceId: { type: namespaceReference, required: true, update: false } } : {};
  const all: Fields = {
    ...metadataFields,
    ...named,
    ...namespaced,
    ...(hasState(type) ? stateFields : {}),
    ...(type.v3.status === 'nested' ? { status: { type: `${type.id}Status`, ...readOnly } } : {}),
    ...liftedFields(type),
    ...type.v3.computed,
  };
  return Object.fromEntries(
    Object.keys(all)
      .sort()
      .map(name => [name, toSchemaField(all[name]!)]),
  );
}

/** Stands for a struct that is not checked field by field. */
export const openStruct: SchemaFields = Object.freeze({});

/** Schemas of the structs that the type's fields are made of, by id. */
export function structSchemas(type: TypeDeclaration): Readonly<Record<string, SchemaFields>> {
  if (type.schema) return type.schema.structs;
  const out: Record<string, SchemaFields> = {};
  if (type.v3.status === 'nested') out[`${type.id}Status`] = structFields(type.status ?? {});
  const visit = (fields: Fields | undefined): void => {
    for (const field of Object.values(fields ?? {})) {
      const id = innerType(field.type);
      if (field.open) out[id] = openStruct;
      if (!field.of) continue;
      out[id] = structFields(field.of);
      visit(field.of);
    }
  };
  for (const fields of [type.top, type.spec, type.status]) visit(fields);
  return out;
}

function structFields(fields: Fields): SchemaFields {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [v3Name(name, field), toSchemaField(field)]));
}

/** `array[map[x]]` → `x`. */
export function innerType(type: string): string {
  const match = /^(?:array|map)\[(.+)\]$/.exec(type);
  return match ? innerType(match[1]!) : type;
}

const filterable = /^(enum|string|dnsLabel|dnsLabelRestricted|hostname|date|int|boolean|reference\[.+\])$/;

/** Which comparisons a field takes in a collection's query; none for lists, maps, structs and passwords. */
export function filterModifiers(field: SchemaField): readonly string[] {
  if (!filterable.test(field.type)) return [];
  return field.type === 'boolean' ? ['eq', 'ne'] : ['eq', 'ne', 'in', 'notin'];
}
