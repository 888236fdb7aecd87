/**
 * Get, list, create, update and delete of live types in the context's cluster, as the caller. In a project's context there
 * is nothing but what is in the project's namespaces.
 */
import { fromLiveV3, graft, type LiveObject, type LiveType, parseLiveId, toLiveV3, type V3Data } from '@drover/api';
import { hasReason, invalid, isConflict, notFound } from '@drover/base';
import type { ResourceRef } from '@drover/kube';
import type { ApiRequest, ApiView } from '../api/behaviour.ts';
import { createdBy } from '../api/created-by.ts';
import { asCaller } from './as-caller.ts';
import { liveStateOf } from './live-state.ts';
import { mergeLive } from './merge-live.ts';
import { namespacesOf, requireInProject } from './project-namespaces.ts';

/** How many namespaces are asked one by one before the whole cluster is, and how many of them at once. */
const fewNamespaces = 8;
const updateTries = 5;

export function refOf({ apiVersion, resource, kind, namespaced }: LiveType): ResourceRef {
  return { apiVersion, resource, kind, namespaced };
}

export function showLive(request: ApiView, type: LiveType, object: LiveObject): V3Data {
  const projectId = request.context?.type === 'project' ? request.context.id : undefined;
  const data = toLiveV3(type, object, { projectId });
  return type.declaration.schema!.fields['state'] ? { ...data, ...liveStateOf(object) } : data;
}

/** The objects that the caller may list, in no order. Throws Forbidden where he may list none of them. */
export async function listLive(request: ApiView, type: LiveType): Promise<LiveObject[]> {
  const client = asCaller(request);
  const ref = refOf(type);
  const { fieldSelector } = type;
  const all = async (namespace?: string) =>
    Array.fromAsync(client.listAll<LiveObject>(ref, { namespace, fieldSelector }));
  if (request.context?.type !== 'project') return all();
  const names = await namespacesOf(request);
  if (names.size === 0) return [];
  if (names.size > fewNamespaces) {
    try {
      return (await all()).filter(({ metadata }) => names.has(metadata.namespace ?? ''));
    } catch (error) {
      if (!hasReason(error, 'Forbidden')) throw error;
    }
  }
  return eachNamespace([...names], all);
}

/** What he may not list in one of them is left out; where he may in none, the refusal is the answer. */
async function eachNamespace(
  names: readonly string[],
  list: (namespace: string) => Promise<LiveObject[]>,
): Promise<LiveObject[]> {
  const out: LiveObject[] = [];
  let refused: unknown;
  let answered = false;
  for (let at = 0; at < names.length; at += fewNamespaces) {
    const answers = await Promise.allSettled(names.slice(at, at + fewNamespaces).map(list));
    for (const answer of answers) {
      if (answer.status === 'fulfilled') {
        answered = true;
        out.push(...answer.value);
      } else if (hasReason(answer.reason, 'Forbidden')) refused ??= answer.reason;
      else throw answer.reason;
    }
  }
  if (!answered) throw refused;
  return out;
}

/** The cluster's object of that id; NotFound where the context has none. */
export async function getLive(request: ApiView, type: LiveType, id: string): Promise<LiveObject> {
  const { name, namespace } = placeOf(type, id);
  if (namespace !== undefined) await requireInProject(request, namespace);
  const object = await asCaller(request).get<LiveObject>(refOf(type), name, { namespace });
  const [field, value] = type.fieldSelector?.split('=') ?? [];
  if (field && object[field] !== value) throw notFound(type.id, id);
  return { ...object, apiVersion: type.apiVersion, kind: type.kind };
}

function placeOf(type: LiveType, id: string): { name: string; namespace?: string } {
  const place = parseLiveId(type, id);
  if (!place) throw notFound(type.id, id);
  return place;
}

export async function createLive(request: ApiRequest, type: LiveType, input: V3Data): Promise<LiveObject> {
  const namespace = type.namespaced ? textOf(input['namespaceId'], 'namespaceId') : undefined;
  if (namespace !== undefined) await requireInProject(request, namespace);
  const object = fromLiveV3(type, input, namespace);
  const metadata = {
    ...object.metadata,
    name: textOf(input['name'], 'name'),
    namespace,
    ...createdBy(request.caller.userId, object.metadata),
  };
  return asCaller(request).create(refOf(type), { ...object, metadata } as LiveObject);
}

function textOf(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(field, 'is required', 'MissingRequired');
  return value;
}

export interface LiveChange {
  readonly input: V3Data;
  /** Drops what a client may set and did not. */
  readonly replace: boolean;
}

/** Puts the change into the object as it is now, and again where somebody was faster. */
export async function updateLive(
  request: ApiRequest,
  type: LiveType,
  id: string,
  { input, replace }: LiveChange,
): Promise<LiveObject> {
  return modifyLive(request, type, id, old => {
    const seen = toLiveV3(type, old);
    const { namespace } = old.metadata;
    const next = mergeLive(seen, input, { schema: type.declaration.schema!, replace });
    return graft(fromLiveV3(type, next, namespace), old, fromLiveV3(type, seen, namespace)) as LiveObject;
  });
}

/** Reads, changes and writes the object; `change` gives it as it is to be. */
export async function modifyLive(
  request: ApiRequest,
  type: LiveType,
  id: string,
  change: (old: LiveObject) => LiveObject,
): Promise<LiveObject> {
  for (let tries = 1; ; tries++) {
    const old = await getLive(request, type, id);
    try {
      return await asCaller(request).update(refOf(type), change(old));
    } catch (error) {
      if (!isConflict(error) || tries >= updateTries) throw error;
    }
  }
}

export async function removeLive(request: ApiRequest, type: LiveType, id: string): Promise<void> {
  const { metadata } = await getLive(request, type, id);
  const { name, namespace, uid } = metadata;
  await asCaller(request).delete(refOf(type), name, {
    namespace,
    propagationPolicy: 'Background',
    preconditions: { uid },
  });
}
