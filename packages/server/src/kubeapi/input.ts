/**
 * What a client sends as an object: taken apart by the declaration. What is not declared is pruned and named, what has the
 * wrong type is refused with a cause for each, as a kube-apiserver does with a structural schema.
 */
import type { Fields } from '@drover/api';
import { badRequest, isDnsSubdomain } from '@drover/base';
import type { Target } from './call.ts';
import { managementApiVersion } from './kube-type.ts';
import { isObject, type Json, type Shape, shapeOf } from './shape.ts';
import { type Cause, invalidFields } from './status.ts';

export interface Sent {
  readonly metadata: Json;
  readonly object: Json;
  /** Paths of fields that no declaration knows. */
  readonly unknown: readonly string[];
}

const known = ['apiVersion', 'kind', 'metadata', 'status'];

/** Throws BadRequest for an object that does not fit the path, Invalid with causes for values of the wrong type. */
export function readObject(body: unknown, { type, namespace, name }: Target): Sent {
  if (!isObject(body)) throw badRequest('the body must be an object');
  const { declaration } = type;
  requireEqual('API version', body['apiVersion'], managementApiVersion);
  requireEqual('kind', body['kind'], declaration.kind);
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  requireEqual('namespace of the object', metadata['namespace'], namespace ?? '');
  if (name !== undefined) requireEqual('name of the object', metadata['name'], name);
  const walk = new Walk();
  const object: Json = { apiVersion: managementApiVersion, kind: declaration.kind, metadata };
  Object.assign(object, walk.fields(withoutKnown(body, declaration.spec), declaration.top ?? {}, ''));
  if (declaration.spec && body['spec'] !== undefined && body['spec'] !== null) {
    if (isObject(body['spec'])) object['spec'] = walk.fields(body['spec'], declaration.spec, 'spec.');
    else walk.wrong('spec', 'object', body['spec']);
  }
  checkMetadata(metadata, walk.causes);
  if (walk.causes.length > 0) throw invalidFields(walk.causes);
  return { metadata, object, unknown: walk.unknown };
}

function withoutKnown(body: Json, spec: Fields | undefined): Json {
  const left = spec ? [...known, 'spec'] : known;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !left.includes(name)));
}

function requireEqual(what: string, given: unknown, expected: string): void {
  if (given === undefined || given === null || given === '' || given === expected) return;
  throw badRequest(
    `the ${what} in the data (${String(given)}) does not match the expected ${what} (${expected || 'none'})`,
  );
}

function checkMetadata(metadata: Json, causes: Cause[]): void {
  for (const part of ['labels', 'annotations'] as const) {
    const given = metadata[part];
    if (given === undefined || given === null) continue;
    if (!isObject(given) || Object.values(given).some(value => typeof value !== 'string'))
      causes.push(wrongType(`metadata.${part}`, 'a map of strings'));
  }
  const { finalizers, ownerReferences, name } = metadata;
  if (finalizers !== undefined && finalizers !== null) {
    if (!Array.isArray(finalizers) || finalizers.some(one => typeof one !== 'string'))
      causes.push(wrongType('metadata.finalizers', 'a list of strings'));
  }
  if (ownerReferences !== undefined && ownerReferences !== null) {
    if (!Array.isArray(ownerReferences) || !ownerReferences.every(isOwner))
      causes.push(wrongType('metadata.ownerReferences', 'a list with apiVersion, kind, name and uid each'));
  }
  if (typeof name === 'string' && name !== '' && !isDnsSubdomain(name))
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: "${name}": must be lower-case letters, digits, "-" and "."`,
      field: 'metadata.name',
    });
}

const isOwner = (one: unknown) =>
  isObject(one) && ['apiVersion', 'kind', 'name', 'uid'].every(part => typeof one[part] === 'string');

const wrongType = (field: string, expected: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: must be ${expected}`,
  field,
});

class Walk {
  readonly unknown: string[] = [];
  readonly causes: Cause[] = [];

  wrong(path: string, expected: string, value: unknown): void {
    const is = Array.isArray(value) ? 'array' : typeof value;
    const message = `Invalid value: "${is}": ${path} in body must be of type ${expected}: "${is}"`;
    this.causes.push({ reason: 'FieldValueTypeInvalid', message, field: path });
  }

  fields(value: Json, fields: Fields, path: string): Json {
    const out: Json = {};
    for (const [name, inner] of Object.entries(value)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (!field || field.secret) this.unknown.push(path + name);
      else if (inner !== null && inner !== undefined) out[name] = this.value(inner, shapeOf(field), path + name);
    }
    return out;
  }

  value(value: unknown, shape: Shape, path: string): unknown {
    switch (shape.kind) {
      case 'any':
        return value;
      case 'list':
        if (Array.isArray(value)) return value.map((item, i) => this.value(item, shape.item, `${path}[${i}]`));
        return this.wrong(path, 'array', value);
      case 'map':
        if (!isObject(value)) return this.wrong(path, 'object', value);
        return Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, this.value(item, shape.item, `${path}.${key}`)]),
        );
      case 'struct':
        return isObject(value) ? this.fields(value, shape.fields, `${path}.`) : this.wrong(path, 'object', value);
      case 'scalar': {
        const fits =
          shape.type === 'integer'
            ? Number.isSafeInteger(value)
            : shape.type === 'number'
              ? Number.isFinite(value)
              : typeof value === shape.type;
        return fits ? value : this.wrong(path, shape.type, value);
      }
    }
  }
}
