/**
 * Definitions: what the fields of a type are and mean, from the OpenAPI of its cluster, CRDs included; only what the type itself leads
 * to. Editors complete and explain by them.
 */
import type { ClusterHold } from './cluster-hold.ts';
import type { SteveType } from './steve-type.ts';

export interface FieldDefinition {
  /** `string`, `int`, `boolean`, `array`, `map`, or the id of a definition. */
  readonly type: string;
  /** Of what an array or map holds. */
  readonly subtype?: string;
  readonly description?: string;
  readonly required?: true;
  readonly options?: readonly string[];
}

export interface Definition {
  readonly type: string;
  readonly description?: string;
  readonly resourceFields: Readonly<Record<string, FieldDefinition>>;
}

export interface SchemaDefinition {
  readonly definitionType: string;
  readonly definitions: Readonly<Record<string, Definition>>;
}

/** A schema of OpenAPI 3.0, as far as it is read here. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

export interface OpenApiDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

const mostDefinitions = 2000;
const refPrefix = '#/components/schemas/';

/** Undefined where the document says nothing of the kind. */
export function definitionsOf(
  document: OpenApiDocument,
  { group, version, kind }: Pick<SteveType, 'group' | 'version' | 'kind'>,
): SchemaDefinition | undefined {
  const schemas = document.components?.schemas ?? {};
  const isIt = (one: { group: string; version: string; kind: string }) =>
    one.group === group && one.version === version && one.kind === kind;
  const [start] =
    Object.entries(schemas).find(([, schema]) => schema['x-kubernetes-group-version-kind']?.some(isIt)) ?? [];
  if (start === undefined) return undefined;
  const definitions: Record<string, Definition> = {};
  const waiting: [id: string, schema: Schema][] = [[start, schemas[start]!]];
  /** Where a type leads; what has fields of its own without a name is named after where it stands. */
  const typeOf = (schema: Schema, place: string): { type: string; subtype?: string } => {
    const ref = schema.$ref ?? schema.allOf?.find(one => one.$ref)?.$ref;
    if (ref?.startsWith(refPrefix)) {
      const id = ref.slice(refPrefix.length);
      const found = schemas[id];
      if (!found?.properties) return { type: plainType(found ?? {}) };
      waiting.push([id, found]);
      return { type: id };
    }
    if (schema.items) return { type: 'array', subtype: typeOf(schema.items, place).type };
    if (schema.properties) {
      waiting.push([place, schema]);
      return { type: place };
    }
    if (typeof schema.additionalProperties === 'object')
      return { type: 'map', subtype: typeOf(schema.additionalProperties, place).type };
    return { type: plainType(schema) };
  };
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [id, schema] = next;
    if (definitions[id] || Object.keys(definitions).length >= mostDefinitions) continue;
    const resourceFields: Record<string, FieldDefinition> = {};
    definitions[id] = { type: id, ...described(schema), resourceFields };
    for (const [name, field] of Object.entries(schema.properties ?? {}))
      resourceFields[name] = {
        ...typeOf(field, `${id}.${name}`),
        ...described(field),
        ...(schema.required?.includes(name) ? { required: true } : {}),
        ...(field.enum ? { options: field.enum.map(String) } : {}),
      };
  }
  return { definitionType: start, definitions };
}

const described = ({ description }: Schema) => (description ? { description } : {});

function plainType({ type, format, ...schema }: Schema): string {
  if (schema['x-kubernetes-int-or-string'] || format === 'int-or-string') return 'intOrString';
  if (type === 'integer') return 'int';
  if (type === 'number') return 'float';
  return type === 'object' ? 'map' : (type ?? 'string');
}

const freshMs = 120_000;
const mostKept = 32;
const kept = new WeakMap<
  ClusterHold,
  Map<string, { readonly at: number; readonly found: Promise<SchemaDefinition | undefined> }>
>();

/** The same for everybody who may see the type at all, so that it is asked once for all; a refusal is kept for nobody. */
export function definitionsIn(
  hold: ClusterHold,
  type: SteveType,
  ask: (path: string) => Promise<unknown>,
): Promise<SchemaDefinition | undefined> {
  const here = kept.get(hold) ?? new Map();
  kept.set(hold, here);
  const before = here.get(type.id);
  if (before && performance.now() - before.at < freshMs) return before.found;
  const path = type.group ? `/openapi/v3/apis/${type.group}/${type.version}` : `/openapi/v3/api/${type.version}`;
  const found = ask(path).then(document => definitionsOf(document as OpenApiDocument, type));
  here.delete(type.id);
  here.set(type.id, { at: performance.now(), found });
  found.catch(() => here.delete(type.id));
  const [oldest] = here.keys();
  if (here.size > mostKept) here.delete(oldest!);
  return found;
}
