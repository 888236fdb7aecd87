/** DynamicSchema: a schema that comes and goes while the server runs, such as that of a driver's credential. `/v3/schemas` shows it beside the others. */
import { array, boolean, int, map, string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { falseByDefault, readOnly } from './shared.ts';

const zero = () => int({ nullable: false, default: 0 });

const values = struct('values', {
  boolValue: falseByDefault(),
  intValue: zero(),
  stringSliceValue: array(string()),
  stringValue: string(),
});

const field = struct('field', {
  create: falseByDefault(),
  default: values,
  description: string(),
  dynamicField: falseByDefault(),
  invalidChars: string(),
  max: zero(),
  maxLength: zero(),
  min: zero(),
  minLength: zero(),
  nullable: falseByDefault(),
  options: array(string()),
  required: falseByDefault(),
  type: string(),
  unique: falseByDefault(),
  update: falseByDefault(),
  validChars: string(),
});

const action = struct('action', { input: string(), output: string() });

export const dynamicSchema = defineType({
  id: 'dynamicSchema',
  pluralName: 'dynamicSchemas',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'DynamicSchema',
  resource: 'dynamicschemas',
  scope: 'cluster',
  namePrefix: 'ds-',
  spec: {
    collectionActions: map(action),
    collectionFields: map(field),
    collectionFilters: map(struct('filter', { modifiers: array(string()) })),
    collectionMethods: array(string()),
    dynamicSchemaVersion: string(),
    embed: boolean({ nullable: false, default: false }),
    embedType: string(),
    includeableLinks: array(string()),
    pluralName: string(),
    resourceActions: map(action),
    resourceFields: map(field),
    resourceMethods: array(string()),
    schemaName: string(),
  },
  status: { fake: string(readOnly) },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    status: 'nested',
    nameFrom: 'metadata',
  },
  columns: ['name', 'schemaName', 'embedType'],
});
