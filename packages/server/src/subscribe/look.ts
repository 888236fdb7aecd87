/** One resource as one caller may see it now, and the texts that subscribers are sent of it. */
import { type SchemaFields, schemaFields, type TypedResource, type TypeId, type V3Data } from '@drover/api';
import { isNotFound } from '@drover/base';
import type { ApiView, ServedType } from '../api/behaviour.ts';
import { type Filter, parseFilters, passes } from '../api/collection.ts';
import { isVisible } from '../api/crud.ts';
import { contextFilter } from '../api/schemas.ts';
import { showResource, withLinks } from '../api/show.ts';
import { textFrame } from './text-frame.ts';

type Any = TypedResource<TypeId>;

/** What a subscriber asked for of one type. */
export interface Wanted {
  readonly type: ServedType;
  readonly fields: SchemaFields;
  readonly filters: readonly Filter[];
}

export function wantedOf(view: ApiView, type: ServedType, query: URLSearchParams): Wanted {
  const fields = schemaFields(type.declaration);
  return { type, fields, filters: [...parseFilters(query, fields), ...contextFilter(view, type)] };
}

/** Undefined where the caller may not see it, it is gone, or the filters leave it out. */
export function lookAt(view: ApiView, wanted: Wanted, key: string): V3Data | undefined | Promise<V3Data | undefined> {
  const { type, filters, fields } = wanted;
  const resource = view.deps.caches[type.stored!].byKey(key) as Any | undefined;
  if (!resource) return undefined;
  const filtered = (data: V3Data | undefined) => (data && passes(data, filters, fields) ? data : undefined);
  if (type.behaviour.source) return lookAtSource(view, type, resource).then(filtered);
  return isVisible(view, type, resource) ? filtered(showResource(view, type, resource)) : undefined;
}

async function lookAtSource(view: ApiView, type: ServedType, resource: Any): Promise<V3Data | undefined> {
  if (type.behaviour.visible?.(view, resource) === false) return undefined;
  try {
    return withLinks(view, type, { data: await type.behaviour.source!.get(view, resource.metadata.name) });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The id of a resource, also of one that is gone, for callers who may know of it. */
export function idFor(view: ApiView, type: ServedType, resource: Any): string | undefined {
  if (type.behaviour.source) {
    return type.behaviour.visible?.(view, resource) ? resource.metadata.name : undefined;
  }
  return isVisible(view, type, resource) ? String(showResource(view, type, resource)['id']) : undefined;
}

export function changeFrame(data: V3Data): Buffer {
  return textFrame({ name: 'resource.change', data });
}

/** Nothing but the name: who is told may have lost the right to see the rest. */
export function removeFrame({ declaration: { id: type } }: ServedType, id: string): Buffer {
  return textFrame({ name: 'resource.remove', data: { id, type, baseType: type } });
}
