/**
 * Refusals as kube-apiserver words them: kubectl and client-go read the reason, the details and the causes. The rules of
 * v3 throw them in v3's words; here they get the group, the plural and the path of the field.
 */
import { type Field, type Fields, type TypeDeclaration, v3Name } from '@drover/api';
import { StatusError, toStatus } from '@drover/base';
import type { Target } from './call.ts';

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

const causesOf = new WeakMap<StatusError, readonly Cause[]>();

/** The error with causes of its own, each about a field. */
export function withCauses(error: StatusError, causes: readonly Cause[]): StatusError {
  causesOf.set(error, causes);
  return error;
}

const namesOf = new WeakMap<StatusError, string>();

/** Says what a refusal is about, where the path does not. */
export function nameIn(error: StatusError, name: string): void {
  namesOf.set(error, name.slice(0, 253));
}

/** Several things wrong with fields at once. */
export function invalidFields(causes: readonly Cause[]): StatusError {
  const message = causes.map(cause => `${cause.field}: ${cause.message}`).join(', ');
  return withCauses(new StatusError(422, 'Invalid', message), causes);
}

/** metav1.Status for a refusal of a request for this target. */
export function statusFor(error: StatusError, { type, name }: Target): Record<string, unknown> {
  const status = toStatus(error);
  const { group, resource, kind } = type.declaration;
  const isInvalid = error.reason === 'Invalid';
  const called = name ?? namesOf.get(error) ?? error.details.name;
  const causes = causesOf.get(error) ?? causeOf(error, type.declaration);
  const retry = status.details?.['retryAfterSeconds'];
  return {
    ...status,
    message: messageFor(error, { plural: `${resource}.${group}`, kind: `${kind}.${group}`, name: called, causes }),
    details: {
      ...(called === undefined ? {} : { name: called }),
      group,
      kind: isInvalid ? kind : resource,
      ...(causes ? { causes } : {}),
      ...(retry === undefined ? {} : { retryAfterSeconds: retry }),
    },
  };
}

interface Words {
  readonly plural: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly causes: readonly Cause[] | undefined;
}

function messageFor(error: StatusError, { plural, kind, name = '', causes = [] }: Words): string {
  switch (error.reason) {
    case 'NotFound':
      return error.details.name === undefined ? error.message : `${plural} "${name}" not found`;
    case 'AlreadyExists':
      return `${plural} "${name}" already exists`;
    case 'Forbidden':
      return `${plural}${name ? ` "${name}"` : ''} is forbidden: ${error.message}`;
    case 'Invalid':
      return `${kind} "${name}" is invalid: ${causes.map(({ field, message }) => `${field}: ${message}`).join(', ') || error.message}`;
    case 'Conflict':
      return causesOf.has(error)
        ? error.message
        : `Operation cannot be fulfilled on ${plural} "${name}": ${reasonOf(error.message)}`;
    default:
      return error.message;
  }
}

/** client-go's own text for a lost race, which people and programs know; other conflicts say what they are. */
function reasonOf(message: string): string {
  if (!message.includes('has been modified')) return message;
  return 'the object has been modified; please apply your changes to the latest version and try again';
}

function causeOf(error: StatusError, declaration: TypeDeclaration): Cause[] | undefined {
  const { field, code } = error.details;
  if (!field) return undefined;
  const message = error.message.startsWith(`${field}: `) ? error.message.slice(field.length + 2) : error.message;
  const reason = code === 'MissingRequired' ? 'FieldValueRequired' : 'FieldValueInvalid';
  return [{ reason, message, field: pathOf(declaration, field) }];
}

/** Where a field of v3 is in the resource: `clusterId` is `spec.clusterName`. */
export function pathOf(declaration: TypeDeclaration, field: string): string {
  const [first = '', ...rest] = field.split('.');
  const named = (fields: Fields | undefined) =>
    Object.entries(fields ?? {}).find(([name, one]: [string, Field]) => v3Name(name, one) === first)?.[0];
  const top = named(declaration.top);
  const spec = named(declaration.spec);
  const path = top ?? (spec === undefined ? first : `spec.${spec}`);
  return [path, ...rest].join('.');
}
