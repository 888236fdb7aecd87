/**
 * v3's field pipeline: what a client sent, dropped, trimmed, coerced, defaulted and checked field by field, in v3's own
 * order and with its own codes. The first thing wrong is the answer.
 */
import { invalid, isDnsLabel, isDnsSubdomain } from '@drover/base/pure';
import { openStruct, type SchemaField, type SchemaFields } from './schema.ts';

export type InputMode = 'create' | 'update';

/** The structs that nested values are checked against, by id. */
export type Structs = Readonly<Record<string, SchemaFields>>;

/** The checked input; throws Invalid with v3's code and the field's name. Unknown and read-only fields are dropped silently. */
export function checkInput(
  body: unknown,
  fields: SchemaFields,
  { mode, structs = {} }: { mode: InputMode; structs?: Structs },
): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('body', 'must be an object', 'InvalidBodyContent');
  }
  const given = body as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!field[mode]) continue;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const checked = value === undefined ? undefined : checkValue(value, field, { path: name, mode, structs });
    if ((checked === undefined || checked === '') && mode === 'create' && field.default !== undefined)
      out[name] = field.default;
    else if (checked !== undefined) out[name] = checked;
    if (
      mode === 'create' &&
      field.required &&
      name !== 'namespaceId' &&
      (out[name] === undefined || out[name] === null || out[name] === '')
    ) {
      throw invalid(name, 'is required', 'MissingRequired');
    }
  }
  return out;
}

interface Place {
  readonly path: string;
  readonly mode: InputMode;
  readonly structs: Structs;
}

function checkValue(
  value: unknown,
  field: Pick<SchemaField, 'type' | 'nullable'> & Partial<SchemaField>,
  place: Place,
): unknown {
  if (value === null) {
    if (!field.nullable) throw invalid(place.path, 'must not be null', 'NotNullable');
    return null;
  }
  const converted = convert(value, field, place);
  checkLimits(converted, field, place.path);
  return converted;
}

function convert(value: unknown, field: Partial<SchemaField> & { type: string }, place: Place): unknown {
  const { type } = field;
  const list = /^array\[(.+)\]$/.exec(type);
  if (list) {
    if (!Array.isArray(value)) throw invalid(place.path, 'must be a list', 'InvalidFormat');
    return value.map((item, i) =>
      checkValue(item, { type: list[1]!, nullable: true }, { ...place, path: `${place.path}[${i}]` }),
    );
  }
  const map = /^map\[(.+)\]$/.exec(type);
  if (map) {
    return Object.fromEntries(
      Object.entries(requireObject(value, place.path)).map(([key, item]) => [
        key,
        checkValue(item, { type: map[1]!, nullable: true }, { ...place, path: `${place.path}.${key}` }),
      ]),
    );
  }
  if (type === 'json') return value;
  const struct = place.structs[type];
  if (struct === openStruct) return requireObject(value, place.path);
  if (struct) return prefixed(place.path, () => checkInput(requireObject(value, place.path), struct, place));
  return scalar(value, field, place.path);
}

/** Errors inside a struct name the whole path. */
function prefixed<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const inner = (error as { details?: { field?: string; code?: string } }).details;
    if (!inner?.field || !(error instanceof Error)) throw error;
    throw invalid(`${path}.${inner.field}`, error.message.slice(inner.field.length + 2), inner.code);
  }
}

function requireObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(path, 'must be an object', 'InvalidFormat');
}

function scalar(value: unknown, field: Partial<SchemaField> & { type: string }, path: string): unknown {
  const wrong = (what: string, code = 'InvalidFormat') => invalid(path, `must be ${what}`, code);
  if (typeof value === 'object') throw wrong(`a ${field.type}`);
  switch (field.type) {
    case 'boolean':
      if (typeof value === 'boolean') return value;
      if (value === 'true' || value === 'false') return value === 'true';
      throw wrong('true or false');
    case 'int':
    case 'float': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) throw wrong('a number');
      if (field.type === 'int' && !Number.isSafeInteger(number)) throw wrong('a whole number');
      return number;
    }
    case 'intOrString':
      return typeof value === 'number' || /^-?\d+$/.test(String(value)) ? Number(value) : String(value);
    case 'password':
      return String(value);
  }
  const text = String(value).trim();
  if (text === '') return text;
  if (field.options && !field.options.includes(text))
    throw wrong(`one of ${field.options.join(', ')}`, 'InvalidOption');
  if (field.type === 'date' && Number.isNaN(Date.parse(text)))
    throw wrong('a date such as 2026-01-31T12:00:00Z', 'InvalidDateFormat');
  if (field.type === 'dnsLabel' && !isDnsLabel(text))
    throw wrong('lower-case letters, digits and "-", at most 63', 'InvalidCharacters');
  if (field.type === 'dnsLabelRestricted' && (!isDnsLabel(text) || /^\d/.test(text)))
    throw wrong('a letter, then lower-case letters, digits and "-"', 'InvalidCharacters');
  if (field.type === 'hostname' && !isDnsSubdomain(text)) throw wrong('a host name', 'InvalidCharacters');
  return text;
}

function checkLimits(value: unknown, field: Partial<SchemaField>, path: string): void {
  if (typeof value === 'number') {
    if (field.min !== undefined && value < field.min)
      throw invalid(path, `must be at least ${field.min}`, 'MinLimitExceeded');
    if (field.max !== undefined && value > field.max)
      throw invalid(path, `must be at most ${field.max}`, 'MaxLimitExceeded');
  }
  const length = typeof value === 'string' ? [...value].length : Array.isArray(value) ? value.length : undefined;
  if (length === undefined) return;
  if (field.minLength !== undefined && length < field.minLength)
    throw invalid(path, `must have at least ${field.minLength} characters`, 'MinLengthExceeded');
  if (field.maxLength !== undefined && length > field.maxLength)
    throw invalid(path, `must have at most ${field.maxLength} characters`, 'MaxLengthExceeded');
}
