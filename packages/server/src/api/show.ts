/**
 * From a resource to what a client sees: the v3 data, its state, the links it can follow and the actions it can call, all
 * as absolute URLs of the way the client came.
 */
import {
  hasState,
  schemaFields,
  type TypeDeclaration,
  type TypedResource,
  type TypeId,
  toV3,
  type V3Data,
} from '@drover/api';
import type { ApiView, ResourceAction, ServedType, V3Resource } from './behaviour.ts';
import { isOffered } from './may-change.ts';
import { servedTypes } from './registry.ts';
import { stateOf } from './state.ts';
import { encodeId } from './url.ts';

export function collectionUrl(request: ApiView, type: ServedType): string {
  return `${request.base}${type.context ? request.versionPath : '/v3'}/${type.declaration.pluralName.toLowerCase()}`;
}

export function showResource(request: ApiView, type: ServedType, resource: TypedResource<TypeId>): V3Resource {
  return withLinks(request, type, { data: showData(request, type, resource), resource });
}

/** Without links and actions: what filters and sorting look at. */
export function showData(request: ApiView, type: ServedType, resource: TypedResource<TypeId>): V3Data {
  const data = project(type, resource);
  return type.behaviour.show?.(request, data, resource) ?? data;
}

/** What of a resource is the same for everybody, by the resource itself: it changes by being replaced. */
const projected = new WeakMap<object, V3Data>();

function project(type: ServedType, resource: TypedResource<TypeId>): V3Data {
  let data = projected.get(resource);
  if (!data) {
    const state = hasState(type.declaration) ? stateOf(resource as Parameters<typeof stateOf>[0]) : {};
    data = Object.freeze({ ...toV3(type.declaration, resource), ...state });
    projected.set(resource, data);
  }
  return data;
}

/** Adds links and actions to data that is complete otherwise. */
export function withLinks(
  request: ApiView,
  type: ServedType,
  { data, resource }: { data: V3Data; resource?: TypedResource<TypeId> },
): V3Resource {
  const { declaration, behaviour } = type;
  const id = String(data['id']);
  const self = `${collectionUrl(request, type)}/${encodeId(id)}`;
  const links: Record<string, string> = { self };
  const { resourceMethods } = declaration.v3;
  const subject = resource ?? (behaviour.source ? (data as never) : undefined);
  if (subject && resourceMethods.includes('PUT') && isOffered(request, type, 'update', subject)) links['update'] = self;
  if (subject && resourceMethods.includes('DELETE') && isOffered(request, type, 'delete', subject))
    links['remove'] = self;
  for (const { plural, field } of referrers(declaration.id)) {
    links[plural] = backlink(request, { type: declaration.id, id, plural, field });
  }
  const actions: Record<string, string> = {};
  for (const name of Object.keys(declaration.v3.resourceActions ?? {})) {
    const action = behaviour.actions?.[name];
    if (action && isShown(request, action, subject)) actions[name] = `${self}?action=${name}`;
  }
  const out: V3Resource = { ...data, links: behaviour.links?.(request, links, data) ?? links };
  return Object.keys(actions).length > 0 ? { ...out, actions } : out;
}

function isShown(
  request: ApiView,
  { offered, allowed }: ResourceAction<TypedResource<TypeId>>,
  subject: TypedResource<TypeId> | undefined,
): boolean {
  if (!subject) return !offered && !allowed;
  return (offered?.(request, subject) ?? true) && (allowed?.(request, subject) ?? true);
}

interface Referrer {
  readonly plural: string;
  readonly field: string;
}

const referrersOf = new Map<string, Referrer[]>();

/** The types that point at this one, and by which field. */
function referrers(id: string): Referrer[] {
  let found = referrersOf.get(id);
  if (!found) {
    found = servedTypes.flatMap(({ declaration, context }) => referrer(declaration, id, context));
    referrersOf.set(id, found);
  }
  return found;
}

function referrer(declaration: TypeDeclaration, id: string, context: ServedType['context']): Referrer[] {
  if (!declaration.v3.collectionMethods.includes('GET')) return [];
  if (context) return id === context ? [{ plural: declaration.pluralName, field: '' }] : [];
  const field = Object.entries(schemaFields(declaration)).find(([, one]) => one.type === `reference[${id}]`)?.[0];
  return field ? [{ plural: declaration.pluralName, field }] : [];
}

/** Clusters and projects have what is theirs below them; other types have a filter. */
function backlink({ base }: ApiView, to: Referrer & { type: string; id: string }): string {
  const plural = to.plural.toLowerCase();
  if (to.type === 'cluster' || to.type === 'project') return `${base}/v3/${to.type}s/${encodeId(to.id)}/${plural}`;
  return `${base}/v3/${plural}?${to.field}=${encodeURIComponent(to.id)}`;
}
