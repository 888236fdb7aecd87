/** From a field of v3 to JSON Schema: what each of v3's types is on the wire. */
import type { SchemaField } from '@drover/api';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Names the component of a struct or a type; undefined where there is none, and anything goes. */
export type ComponentOf = (id: string) => string | undefined;

const scalars: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  enum: { type: 'string' },
  password: { type: 'string', format: 'password' },
  int: { type: 'integer' },
  float: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date-time' },
  base64: { type: 'string', contentEncoding: 'base64' },
  dnsLabel: { type: 'string', maxLength: 63 },
  dnsLabelRestricted: { type: 'string', maxLength: 63 },
  hostname: { type: 'string', format: 'hostname' },
  intOrString: { type: ['integer', 'string'] },
  json: {},
};

export const refTo = (component: string): JsonSchema => ({ $ref: `#/components/schemas/${component}` });

function typeSchema(type: string, componentOf: ComponentOf): JsonSchema {
  const nested = /^(array|map)\[(.+)\]$/.exec(type);
  if (nested?.[1] === 'array') return { type: 'array', items: typeSchema(nested[2]!, componentOf) };
  if (nested?.[1] === 'map') return { type: 'object', additionalProperties: typeSchema(nested[2]!, componentOf) };
  const reference = /^reference\[(?:.*\/)?([^/\]]+)\]$/.exec(type);
  if (reference) return { type: 'string', description: `The id of a ${reference[1]}.` };
  const scalar = Object.hasOwn(scalars, type) ? scalars[type] : undefined;
  if (scalar) return scalar;
  const component = componentOf(type);
  return component === undefined ? {} : refTo(component);
}

/** The field as it is shown: references that are not set are null, whatever they take. */
export function shownSchema(field: SchemaField, componentOf: ComponentOf): JsonSchema {
  return fieldSchema(field.type.startsWith('reference[') ? { ...field, nullable: true } : field, componentOf);
}

/** The schema of one field. Where null is a value, it says so; limits are those that the server holds to. */
export function fieldSchema(field: SchemaField, componentOf: ComponentOf): JsonSchema {
  const base = typeSchema(field.type, componentOf);
  const said: Record<string, unknown> = {};
  if (field.description) said['description'] = field.description;
  if (field.default !== undefined) said['default'] = field.default;
  if (!field.create && !field.update) said['readOnly'] = true;
  if (field.writeOnly) said['writeOnly'] = true;
  if (field.options) said['enum'] = field.nullable ? [...field.options, null] : field.options;
  if (field.min !== undefined) said['minimum'] = field.min;
  if (field.max !== undefined) said['maximum'] = field.max;
  if (field.minLength !== undefined) said['minLength'] = field.minLength;
  if (field.maxLength !== undefined) said['maxLength'] = field.maxLength;
  if (!field.nullable) return { ...base, ...said };
  if ('$ref' in base) return { anyOf: [base, { type: 'null' }], ...said };
  const { type } = base;
  return type === undefined ? { ...base, ...said } : { ...base, type: [type, 'null'].flat(), ...said };
}
