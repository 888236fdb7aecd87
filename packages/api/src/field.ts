/**
 * Fields: how a type says what it holds. Each builder gives plain data in v3's own type grammar, from which the schema,
 * the validation and the TypeScript type all follow.
 */

/** What a field may say of itself, in v3's words; `create` and `update` say when a client may set it (both by default). */
export interface FieldOptions {
  /** v3's name where it differs from the resource's own, e.g. `clusterId` for `clusterName`. */
  readonly as?: string;
  readonly required?: boolean;
  readonly nullable?: boolean;
  readonly create?: boolean;
  readonly update?: boolean;
  readonly default?: unknown;
  /** Accepted and shown in the answer to its own create, never read back. */
  readonly writeOnly?: boolean;
  /** Encrypted at rest, never shown by any API. */
  readonly secret?: boolean;
  /** Read by somebody who knows it better, option by option: kept here as it is. Its schema comes from elsewhere. */
  readonly open?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly validChars?: string;
  readonly invalidChars?: string;
  readonly description?: string;
}

export interface Field<T = unknown> extends FieldOptions {
  /** v3's type grammar: `string`, `array[string]`, `reference[cluster]`, or the id of a struct. */
  readonly type: string;
  /** The only values that it takes. */
  readonly options?: readonly string[];
  /** The fields of a struct, or of the struct inside an array or a map. */
  readonly of?: Fields;
  /** Carries the TypeScript type; there is no such value. */
  readonly typed?: T;
}

export type Fields = { readonly [name: string]: Field };

/** The TypeScript type of a set of fields: required ones always there, the others perhaps. */
export type TypeOf<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : never;
};

type With<T, O> = Field<T> & O;

const scalar =
  <T>(type: string) =>
  <const O extends FieldOptions>(options: O = {} as O): With<T, O> => ({ type, ...options });

export const string = scalar<string>('string');
export const password = scalar<string>('password');
export const int = scalar<number>('int');
export const float = scalar<number>('float');
export const boolean = scalar<boolean>('boolean');
/** RFC 3339. */
export const date = scalar<string>('date');
export const json = scalar<unknown>('json');
export const base64 = scalar<string>('base64');
export const dnsLabel = scalar<string>('dnsLabel');
export const hostname = scalar<string>('hostname');

export function oneOf<const T extends string>(options: readonly T[], rest: FieldOptions = {}): Field<T> {
  return { type: 'enum', options, ...rest };
}

/** The id of another resource; `to` is its v3 type. */
export function reference(to: string, options: FieldOptions = {}): Field<string> {
  return { type: `reference[${to}]`, ...options };
}

export function array<T>(of: Field<T>, options: FieldOptions = {}): Field<readonly T[]> {
  return { type: `array[${of.type}]`, ...(of.of ? { of: of.of } : {}), ...options };
}

export function map<T>(of: Field<T>, options: FieldOptions = {}): Field<Readonly<Record<string, T>>> {
  return { type: `map[${of.type}]`, ...(of.of ? { of: of.of } : {}), ...options };
}

/** A nested object whose schema is known elsewhere under `id`, and which is checked by whoever reads it. */
export function open(id: string, options: FieldOptions = {}): Field<Readonly<Record<string, unknown>>> {
  return { type: id, open: true, ...options };
}

/** A nested object with a schema of its own under `id`. */
export function struct<const F extends Fields>(id: string, of: F, options: FieldOptions = {}): Field<TypeOf<F>> {
  return { type: id, of, ...options };
}
