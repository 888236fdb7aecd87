/**
 * Resource ⇄ store entry. Secret fields are encrypted on the way in; the resourceVersion is never stored but made of
 * the entry's revision and the store's epoch, so that a revision of an earlier epoch is recognised as gone.
 */
import type { Fields, TypeDeclaration } from '@drover/api';
import { expired, internal, type Resource } from '@drover/base';
import type { Entry, Revision } from '@drover/store';

/** Encrypts and decrypts one field; bound to the key and the field it was made for. */
export interface SecretCodec {
  encrypt(value: string, place: { key: string; field: string }): string;
  decrypt(text: string, place: { key: string; field: string }): string;
}

/** Revisions take the low 40 bits, the epoch what is above: one growing decimal number, as Kubernetes' clients expect. */
const epochFactor = 2n ** 40n;

export function formatVersion(epoch: number, revision: Revision): string {
  return String(BigInt(epoch) * epochFactor + BigInt(revision));
}

/** The revision in a resourceVersion; throws Expired when it is of another epoch, or not one at all. */
export function parseVersion(epoch: number, version: string): Revision {
  if (!/^\d{1,19}$/.test(version)) throw expired(`resourceVersion "${version}" was not made by this server`);
  const number = BigInt(version);
  if (number / epochFactor !== BigInt(epoch))
    throw expired(`resourceVersion ${version} is too old: the store began anew since`);
  return Number(number % epochFactor);
}

type Transform = (value: string, field: string) => string;

/** Applies `transform` to every secret field that `fields` names within `value`. */
function mapSecrets(value: unknown, fields: Fields | undefined, path: string, transform: Transform): unknown {
  if (!fields || typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  for (const [name, field] of Object.entries(fields)) {
    if (out[name] === undefined || out[name] === null) continue;
    out[name] = mapField(out[name], field.secret === true, field.of, `${path}${name}`, transform);
  }
  return out;
}

function mapField(
  value: unknown,
  secret: boolean,
  of: Fields | undefined,
  path: string,
  transform: Transform,
): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => mapField(item, secret, of, `${path}[${index}]`, transform));
  if (secret && typeof value === 'string') return transform(value, path);
  if (secret && typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, mapField(item, true, of, `${path}.${key}`, transform)]),
    );
  }
  return mapSecrets(value, of, `${path}.`, transform);
}

function mapResource(type: TypeDeclaration, resource: Resource, transform: Transform): Resource {
  const out = mapSecrets(resource, type.top, '', transform) as Resource & Record<string, unknown>;
  return {
    ...out,
    ...(out.spec === undefined ? {} : { spec: mapSecrets(out.spec, type.spec, 'spec.', transform) }),
    ...(out.status === undefined ? {} : { status: mapSecrets(out.status, type.status, 'status.', transform) }),
  };
}

export function encodeResource(type: TypeDeclaration, resource: Resource, key: string, secrets: SecretCodec): string {
  const { resourceVersion: _, ...metadata } = resource.metadata;
  const sealed = mapResource(type, resource, (value, field) => secrets.encrypt(value, { key, field }));
  return JSON.stringify({ ...sealed, metadata });
}

export function decodeResource<R extends Resource>(
  type: TypeDeclaration,
  entry: Entry,
  epoch: number,
  secrets: SecretCodec,
): R {
  let parsed: Resource;
  try {
    parsed = JSON.parse(entry.value) as Resource;
  } catch (cause) {
    throw internal(`the stored ${type.kind} at ${entry.key} is not readable`, cause);
  }
  const open = mapResource(type, parsed, (value, field) => secrets.decrypt(value, { key: entry.key, field }));
  return { ...open, metadata: { ...open.metadata, resourceVersion: formatVersion(epoch, entry.revision) } } as R;
}
