/**
 * Values that one resource of a type has alone, such as a cluster's name: each is claimed by a key of the store, which is written in the
 * same transaction as the resource. Claiming takes as long with one resource as with thousands, on one server as on several.
 */
import { hash } from 'node:crypto';
import { type TypeDeclaration, type TypedResource, type TypeId, types } from '@drover/api';
import { invalid, type StatusError } from '@drover/base';
import type { Compare, Op, Store } from '@drover/store';

/** What is compared and written beside a resource, for it to have its value alone. */
export interface Claims {
  readonly compares: readonly Compare[];
  readonly ops: readonly Op[];
  /** The key that another resource holds where the write is refused for it. */
  readonly wanted?: string;
}

const nothing: Claims = { compares: [], ops: [] };

const specOf = ({ spec }: Pick<TypedResource<TypeId>, 'spec'>) => (spec ?? {}) as Readonly<Record<string, unknown>>;

/** The value of that field, whether or not others may have it. */
export function fieldValue({ unique }: TypeDeclaration, resource: TypedResource<TypeId>): string | undefined {
  const value = unique && specOf(resource)[unique.field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value that nobody else may have. */
export function uniqueValue(type: TypeDeclaration, resource: TypedResource<TypeId> | undefined): string | undefined {
  if (!resource || (type.unique?.unless && specOf(resource)[type.unique.unless])) return undefined;
  return fieldValue(type, resource);
}

const claimKey = (type: TypeDeclaration, value: string): string =>
  `/claims/${type.group}/${type.resource}/${hash('sha256', value, 'hex').slice(0, 40)}`;

export interface Change {
  /** The resource's own key: says whose a claim is. */
  readonly key: string;
  readonly before?: TypedResource<TypeId>;
  readonly after?: TypedResource<TypeId>;
}

/** The claims that change with the resource. One from before there were claims has none, and gives none up. */
export async function claimsOf(store: Store, id: TypeId, { key, before, after }: Change): Promise<Claims> {
  const type: TypeDeclaration = types[id];
  const [old, next] = [uniqueValue(type, before), uniqueValue(type, after)];
  if (old === next) return nothing;
  const compares: Compare[] = [];
  const ops: Op[] = [];
  const held = old === undefined ? undefined : await store.get(claimKey(type, old));
  if (held?.value === JSON.stringify(key)) {
    compares.push({ key: held.key, revision: held.revision });
    ops.push({ type: 'delete', key: held.key });
  }
  if (next === undefined) return { compares, ops };
  const wanted = claimKey(type, next);
  compares.push({ key: wanted, revision: 0 });
  ops.push({ type: 'put', key: wanted, value: JSON.stringify(key) });
  return { compares, ops, wanted };
}

/** Invalid: another one of the type has the value. */
export function valueTaken({ unique }: TypeDeclaration, value: string): StatusError {
  return invalid(unique?.label ?? '', `"${value}" is taken`, 'NotUnique');
}
