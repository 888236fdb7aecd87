/** Get, list, create, update and delete by the rules that hold for every type; what a type does of its own comes from its behaviour. */
import {
  checkInput,
  fromV3,
  parseV3Id,
  schemaFields,
  structSchemas,
  type TypeDeclaration,
  type TypedResource,
  type TypeId,
  type V3Data,
} from '@drover/api';
import { forbidden, ignoreNotFound, invalid, notFound } from '@drover/base';
import { noteForAudit } from '../audit/notes.ts';
import type { Place, Verb } from '../auth/access.ts';
import { decidedBy, decidingLine } from '../explain/decision.ts';
import { refusal } from '../explain/refusal.ts';
import type { ApiRequest, ApiView, ServedType, V3Resource } from './behaviour.ts';
import { createdBy } from './created-by.ts';
import { mayChange, requireNoObjection } from './may-change.ts';
import { mergeLabels, mergeStructs } from './merge.ts';
import { preparedCreate, preparedUpdate } from './prepared.ts';
import { showData, showResource, withLinks } from './show.ts';

type Any = TypedResource<TypeId>;

export function isVisible(request: ApiView, type: ServedType, resource: Any): boolean {
  const { access } = request.deps.auth;
  if (type.behaviour.visible) return type.behaviour.visible(request, resource);
  const place = { namespace: resource.metadata.namespace, name: resource.metadata.name };
  return (
    access.may(request.caller, 'list', type.stored!, place) || access.may(request.caller, 'get', type.stored!, place)
  );
}

export interface Visible {
  readonly all: V3Data[];
  /** Adds links and actions to what is sent of them, for whoever asks. */
  link(request: ApiRequest, data: V3Data): V3Resource;
}

/** All that the caller may see, as v3 data; at once where nothing has to be asked elsewhere. */
export function listVisible(request: ApiRequest, type: ServedType): Visible | Promise<Visible> {
  if (type.behaviour.source) {
    const linked = (found: readonly V3Data[]): Visible => ({
      all: [...found],
      link: (asked, data) => withLinks(asked, type, { data }),
    });
    const found = type.behaviour.source.list(request);
    return found instanceof Promise ? found.then(linked) : linked(found);
  }
  const cache = request.deps.caches[type.stored!];
  const shown = new Map<V3Data, Any>();
  for (const resource of cache.all() as IterableIterator<Any>) {
    if (isVisible(request, type, resource)) shown.set(showData(request, type, resource), resource);
  }
  return { all: [...shown.keys()], link: (asked, data) => withLinks(asked, type, { data, resource: shown.get(data) }) };
}

/** The resource of that id as far as the cache knows it, whoever may see it. */
export function findCached({ deps }: ApiView, type: ServedType, id: string): Any | undefined {
  const place = parseV3Id(type.declaration, id);
  return place && (deps.caches[type.stored!].get(place.name, place.namespace) as Any | undefined);
}

/** The stored resource of that id; NotFound where the caller may not see it, so that ids tell nothing. */
export async function findStored(request: ApiView, type: ServedType, id: string): Promise<Any> {
  const place = parseV3Id(type.declaration, id);
  const found =
    findCached(request, type, id) ??
    (place && ((await request.deps.resources.find(type.stored!, place.name, place.namespace)) as Any | undefined));
  if (!found || !isVisible(request, type, found)) throw notFound(type.declaration.id, id);
  return found;
}

export async function getOne(request: ApiRequest, type: ServedType, id: string): Promise<V3Resource> {
  const { source } = type.behaviour;
  if (source) return withLinks(request, type, { data: await source.get(request, id) });
  return showResource(request, type, await findStored(request, type, id));
}

export async function createOne(request: ApiRequest, type: ServedType, body: unknown): Promise<V3Resource> {
  const { declaration, behaviour } = type;
  const forced = request.context ? contextFields(declaration, request.context) : {};
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('body', 'must be an object', 'InvalidBodyContent');
  const given = { ...body, ...forced };
  const checked = checkInput(given, schemaFields(declaration), { mode: 'create', structs: structSchemas(declaration) });
  const input = await preparedCreate(request, type, checked);
  requireMayCreate(request, type, input);
  if (behaviour.create) return withLinks(request, type, await created(request, type, behaviour.create(request, input)));
  const parts = fromV3(declaration, input);
  const stored = await request.deps.resources.create(type.stored!, {
    metadata: {
      ...parts.metadata,
      namespace: namespaceOf(declaration, input),
      ...createdBy(request.caller.userId, parts.metadata),
    },
    ...parts.top,
    ...(parts.spec ? { spec: parts.spec } : {}),
  } as never);
  await confirm(request, type, stored as Any);
  return showResource(request, type, stored);
}

/** Lets the behaviour look at what was just stored; takes it back where that throws. */
export async function confirm(request: ApiRequest, { stored, behaviour }: ServedType, resource: Any): Promise<void> {
  try {
    await behaviour.afterCreate?.(request, resource);
  } catch (error) {
    const { name, namespace, uid } = resource.metadata;
    await ignoreNotFound(request.deps.resources.delete(stored!, { name, namespace, uid }));
    throw error;
  }
}

/** What was made by a behaviour, with the resource where it is stored by now. */
async function created(
  request: ApiRequest,
  type: ServedType,
  making: Promise<V3Data>,
): Promise<{ data: V3Data; resource?: Any }> {
  const data = await making;
  const place = type.stored && parseV3Id(type.declaration, String(data['id']));
  const resource =
    place &&
    (findCached(request, type, String(data['id'])) ??
      ((await request.deps.resources.find(type.stored!, place.name, place.namespace)) as Any | undefined));
  return { data, resource };
}

function contextFields(declaration: TypeDeclaration, context: { type: string; id: string }): V3Data {
  const field = Object.entries(schemaFields(declaration)).find(
    ([, one]) => one.type === `reference[${context.type}]`,
  )?.[0];
  return field ? { [field]: context.id } : {};
}

/** The namespace of a namespaced type: the cluster's id, or for a project's own the project's. */
export function namespaceOf(declaration: TypeDeclaration, input: V3Data): string | undefined {
  if (declaration.scope === 'cluster') return undefined;
  const value = String(input[declaration.v3.namespaceFrom ?? 'namespaceId'] ?? '');
  return value.replace(':', '-') || undefined;
}

function requireMayCreate(request: ApiRequest, type: ServedType, input: V3Data): void {
  const { declaration, behaviour, stored } = type;
  const may = behaviour.mayCreate
    ? behaviour.mayCreate(request, input)
    : stored &&
      request.deps.auth.access.may(request.caller, 'create', stored, { namespace: namespaceOf(declaration, input) });
  const place = { namespace: namespaceOf(declaration, input) };
  settle(request, type, { may, verb: 'create', place, text: `you may not create a ${declaration.id} here` });
}

interface Settled {
  readonly may: boolean | undefined;
  readonly verb: Verb;
  readonly place: Place;
  readonly text: string;
}

/** What was decided is told: a refusal to the caller, with who may grant it; the binding that allowed it to the audit log. */
function settle({ deps, caller, exchange }: ApiRequest, { stored, declaration }: ServedType, settled: Settled): void {
  const { may, text, verb, place } = settled;
  const explain = { caches: deps.caches, access: deps.auth.access };
  const wanted = stored && { verb, type: stored, place };
  if (!may) throw wanted ? refusal(explain, caller, { text, wanted }) : forbidden(text, { kind: declaration.id });
  const deciding = wanted && decidedBy(explain, caller, wanted);
  if (deciding) noteForAudit(exchange.request, { decidedBy: decidingLine(deciding) });
}

export interface Update {
  readonly id: string;
  readonly body: unknown;
  /** Drops what a client may set and did not. */
  readonly replace: boolean;
}

export async function updateOne(
  request: ApiRequest,
  type: ServedType,
  { id, body, replace }: Update,
): Promise<V3Resource> {
  const { declaration, behaviour } = type;
  const checked = checkInput(body, schemaFields(declaration), { mode: 'update', structs: structSchemas(declaration) });
  if (behaviour.source) {
    if (!behaviour.source.update) throw forbidden(`a ${declaration.id} can't be changed`);
    return withLinks(request, type, { data: await behaviour.source.update(request, id, checked) });
  }
  const seen = await findStored(request, type, id);
  const place = { name: seen.metadata.name, namespace: seen.metadata.namespace };
  const may = mayChange(request, type, 'update', seen);
  settle(request, type, { may, verb: 'update', place, text: `you may not change ${declaration.id} "${id}"` });
  requireNoObjection(request, type, 'update', seen);
  const input = await preparedUpdate(request, type, { input: checked, seen, replace });
  if (behaviour.update) {
    await behaviour.update(request, seen, input);
  } else {
    const change = (old: Any) => changed(declaration, old, { input, replace });
    await request.deps.resources.modify(type.stored!, place, change as never);
  }
  // Not asked for anew: whoever gave up his own right to see it has changed it all the same.
  const changedNow = await request.deps.resources.get(type.stored!, place.name, place.namespace);
  return showResource(request, type, changedNow as Any);
}

function changed(declaration: TypeDeclaration, old: Any, { input, replace }: { input: V3Data; replace: boolean }): Any {
  const parts = fromV3(declaration, input);
  const metadata = {
    ...old.metadata,
    labels: mergeLabels(old.metadata.labels, parts.metadata.labels),
    annotations: mergeLabels(old.metadata.annotations, parts.metadata.annotations),
  };
  const top = mergeStructs(old as unknown as V3Data, parts.top, { fields: declaration.top ?? {}, replace });
  const spec = parts.spec
    ? mergeStructs((old.spec ?? {}) as V3Data, parts.spec, { fields: declaration.spec ?? {}, replace })
    : old.spec;
  return { ...old, ...top, metadata, ...(spec === undefined ? {} : { spec }) } as Any;
}

/** Answers what is left, or undefined when it is gone. */
export async function deleteOne(request: ApiRequest, type: ServedType, id: string): Promise<V3Resource | undefined> {
  const { declaration, behaviour } = type;
  if (behaviour.source) {
    if (!behaviour.source.remove) throw forbidden(`a ${declaration.id} can't be deleted`);
    await behaviour.source.remove(request, id);
    return undefined;
  }
  const seen = await findStored(request, type, id);
  const place = { name: seen.metadata.name, namespace: seen.metadata.namespace };
  const may = mayChange(request, type, 'delete', seen);
  settle(request, type, { may, verb: 'delete', place, text: `you may not delete ${declaration.id} "${id}"` });
  requireNoObjection(request, type, 'delete', seen);
  if (behaviour.remove) await behaviour.remove(request, seen);
  else await request.deps.resources.delete(type.stored!, place);
  const left = await request.deps.resources.find(type.stored!, place.name, place.namespace);
  return left && showResource(request, type, left as Any);
}
