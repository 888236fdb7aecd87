/** Create, update, patch, apply and delete: what a client sent, through v3's rules, into the store. */
import { parseV3Id, v3Id } from '@drover/api';
import { badRequest, conflict, ignoreNotFound, isConflict, notFound, StatusError } from '@drover/base';
import { readBody, readText } from '../api/body.ts';
import { confirm, deleteOne } from '../api/crud.ts';
import { mergeInto } from '../steve/merge-patch.ts';
import { type Call, isDryRun, isOn } from './call.ts';
import { readObject, type Sent } from './input.ts';
import { jsonPatch } from './json-patch.ts';
import type { AnyResource } from './kube-type.ts';
import { applyObject, type FieldOwner, trackUpdate } from './managed-fields.ts';
import { checkCreate, checkUpdate, requireMay } from './rules.ts';
import { isObject, type Json } from './shape.ts';
import { findVisible, type Shown, showObject } from './show.ts';
import { invalidFields, nameIn } from './status.ts';

export interface Written {
  readonly status: number;
  readonly object: Shown;
}

const maxBodyBytes = 2 << 20;
const tries = 5;

/** What is no JSON is a bad request here, not an object that is invalid. */
async function bodyOf({ request }: Pick<Call, 'request'>): Promise<unknown> {
  try {
    return await readBody(request.exchange.request, maxBodyBytes);
  } catch (error) {
    if (error instanceof StatusError && error.details.field === 'body') throw badRequest(error.message, error);
    throw error;
  }
}

export async function createObject(call: Call): Promise<Written> {
  const body = await bodyOf(call);
  try {
    return await store(call, sentObject(call, body), managerOf(call, 'Update'));
  } catch (error) {
    // The path does not name it yet, and people look for the name in the refusal.
    const metadata = isObject(body) && isObject(body['metadata']) ? body['metadata'] : {};
    if (error instanceof StatusError && typeof metadata['name'] === 'string') nameIn(error, metadata['name']);
    throw error;
  }
}

export async function updateObject(call: Call): Promise<Written> {
  const body = await bodyOf(call);
  const sent = sentObject(call, body);
  if (!sent.metadata['resourceVersion'])
    throw invalidFields([
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: 0: must be specified for an update',
        field: 'metadata.resourceVersion',
      },
    ]);
  return change(call, await seen(call), sent);
}

export async function patchObject(call: Call): Promise<Written> {
  const { request, type } = call;
  const kind = (request.exchange.request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const read = patches[kind];
  if (kind === 'application/apply-patch+yaml') return apply(call);
  if (!read)
    throw new StatusError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${[...Object.keys(patches), 'application/apply-patch+yaml'].join(', ')}`,
    );
  const patch = await bodyOf(call);
  for (let attempt = 1; ; attempt++) {
    const old = await seen(call);
    const shown = showObject(request, type, old);
    const sent = sentObject(call, read(shown, patch));
    try {
      return await change(call, old, sent);
    } catch (error) {
      // Who names no revision of his own means whatever is there.
      const isOurs = sent.metadata['resourceVersion'] === shown.metadata['resourceVersion'];
      if (!isConflict(error) || !isOurs || attempt >= tries) throw error;
    }
  }
}

const patches: Readonly<Record<string, (object: Shown, patch: unknown) => unknown>> = {
  'application/json-patch+json': jsonPatch,
  'application/merge-patch+json': (object, patch) => mergeInto(object, patch ?? {}),
};

async function apply(call: Call): Promise<Written> {
  const { request, type, query } = call;
  if (!query.get('fieldManager'))
    throw invalidFields([
      { reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' },
    ]);
  const { parse } = await import('yaml');
  const text = await readText(request.exchange.request, maxBodyBytes);
  let body: unknown;
  try {
    body = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw badRequest(`the object is not valid YAML: ${String((error as Error).message).split('\n')[0]}`);
  }
  const sent = sentObject(call, body);
  if (sent.metadata['managedFields']) throw badRequest('metadata.managedFields must be nil');
  const manager = managerOf(call, 'Apply');
  const options = { declaration: type.declaration, manager, now: now(), force: isOn(query, 'force') };
  const applied = { ...sent.object, metadata: { ...sent.metadata, name: call.name } };
  for (let attempt = 1; ; attempt++) {
    const old = await findVisible(request, type, { name: call.name!, namespace: call.namespace });
    if (!old) {
      if (!type.verbs.includes('create')) throw notFound(type.declaration.resource, call.name!);
      const made = applyObject(undefined, applied, options);
      const metadata = {
        ...sent.metadata,
        name: call.name,
        managedFields: (made['metadata'] as Json)['managedFields'],
      };
      return store(call, { ...sent, metadata }, manager);
    }
    const merged = applyObject(showObject(request, type, old), applied, options);
    const { resourceVersion, uid } = sent.metadata;
    const metadata: Json = { ...(merged['metadata'] as Json), uid: uid ?? old.metadata.uid };
    metadata['resourceVersion'] = resourceVersion ?? old.metadata.resourceVersion;
    try {
      return await change(call, old, { metadata, object: merged, unknown: [] }, manager);
    } catch (error) {
      if (!isConflict(error) || resourceVersion || attempt >= tries) throw error;
    }
  }
}

async function seen({ request, type, name = '', namespace }: Call): Promise<AnyResource> {
  const found = await findVisible(request, type, { name, namespace });
  if (!found) throw notFound(type.declaration.resource, name);
  return found;
}

/** Reads the object and does with unknown fields as `fieldValidation` says. */
function sentObject(call: Call, body: unknown): Sent {
  const sent = readObject(body, call);
  const named = sent.unknown.map(path => `unknown field "${path}"`);
  const wish = call.query.get('fieldValidation') || 'Warn';
  if (wish === 'Strict' && named.length > 0) throw badRequest(`strict decoding error: ${named.join(', ')}`);
  if (wish === 'Warn')
    for (const text of named.slice(0, 20))
      call.request.exchange.response.appendHeader('Warning', `299 - "${text.replace(/[^\x20-\x7e]|["\\]/g, '?')}"`);
  return sent;
}

function managerOf({ request, query }: Call, operation: FieldOwner['operation']): FieldOwner {
  const agent = (request.exchange.request.headers['user-agent'] ?? '').split('/')[0];
  return { name: (query.get('fieldManager') || agent || 'unknown').slice(0, 128), operation };
}

const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

async function store(call: Call, { object, metadata }: Sent, manager: FieldOwner): Promise<Written> {
  const { request, type, query } = call;
  const { behaviour } = type.served;
  const { resources } = request.deps;
  const { input, draft } = await checkCreate(call, object, metadata);
  const managed = (next: Json) =>
    manager.operation === 'Apply'
      ? metadata['managedFields']
      : trackUpdate(undefined, next, { declaration: type.declaration, manager, now: now() });
  const whole = { ...draft, metadata: { ...draft.metadata, managedFields: managed(draft) } };
  if (isDryRun(query)) {
    if (behaviour.create) throw badRequest(`a dry run can't be done for a ${type.declaration.id}`);
    if (metadata['name'] && (await resources.find(type.id, String(metadata['name']), call.namespace)))
      throw new StatusError(409, 'AlreadyExists', 'already exists', { details: { name: String(metadata['name']) } });
    const made = { apiVersion: object['apiVersion'], kind: object['kind'], ...whole };
    return { status: 201, object: showObject(request, type, made as unknown as AnyResource) };
  }
  if (behaviour.create) {
    const data = await behaviour.create(request, input);
    const place = parseV3Id(type.declaration, String(data['id']))!;
    const { annotations, labels } = whole.metadata as unknown as AnyResource['metadata'];
    const made = await resources.modify(type.id, place, old => ({
      ...old,
      metadata: {
        ...old.metadata,
        labels: { ...labels, ...old.metadata.labels },
        annotations: { ...annotations, ...old.metadata.annotations },
        managedFields: managed(old as unknown as Json),
      },
    }));
    return { status: 201, object: showObject(request, type, made as AnyResource) };
  }
  const made = (await resources.create(type.id, whole as never)) as AnyResource;
  await confirm(request, type.served, made);
  return { status: 201, object: showObject(request, type, made) };
}

async function change(call: Call, old: AnyResource, sent: Sent, manager?: FieldOwner): Promise<Written> {
  const { request, type, query } = call;
  const { behaviour } = type.served;
  const { resources } = request.deps;
  const { resourceVersion, uid, managedFields } = sent.metadata;
  const { resource } = type.declaration;
  if (uid && old.metadata.uid && uid !== old.metadata.uid)
    throw conflict(
      resource,
      old.metadata.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw conflict(resource, old.metadata.name);
  const { input, next, isDesired } = await checkUpdate(call, old, sent);
  const base = { ...next, metadata: { ...next.metadata, managedFields } } as unknown as Json;
  const before = old as unknown as Json;
  const tracking = { declaration: type.declaration, manager: managerOf(call, 'Update'), now: now() };
  const kept = manager ? managedFields : trackUpdate(before, base, tracking);
  const whole = { ...next, metadata: { ...next.metadata, managedFields: kept } } as unknown as AnyResource;
  if (isDryRun(query)) return { status: 200, object: showObject(request, type, whole) };
  if (!behaviour.update && !behaviour.source) {
    const stored = (await resources.update(type.id, whole)) as AnyResource;
    return { status: 200, object: showObject(request, type, stored) };
  }
  const { name, namespace } = old.metadata;
  if (isDesired) {
    if (behaviour.source) await behaviour.source.update!(request, v3Id({ name, namespace }), input);
    else await behaviour.update!(request, old, input);
  }
  // What v3 stores in a way of its own keeps its metadata apart.
  const stored = await ignoreNotFound(
    resources.modify(type.id, { name, namespace }, there => ({ ...there, metadata: metadataOf(there, whole) })),
  );
  const left = (stored as AnyResource | undefined) ?? (await seen(call));
  return { status: 200, object: showObject(request, type, left) };
}

function metadataOf(there: AnyResource, { metadata }: AnyResource): AnyResource['metadata'] {
  const { resourceVersion, generation, uid, creationTimestamp, deletionTimestamp } = there.metadata;
  return { ...metadata, resourceVersion, generation, uid, creationTimestamp, deletionTimestamp };
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** What a client says of how to delete. Nothing here has dependents, so every way to deal with them comes to the same. */
export async function readDeleteOptions({ request, query }: Call): Promise<DeleteOptions> {
  const body = await bodyOf({ request });
  const given = isObject(body) ? body : {};
  const policy = given['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  if (policy !== undefined && !['Orphan', 'Background', 'Foreground'].includes(String(policy)))
    throw invalidFields([
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: "${String(policy)}": supported values: "Orphan", "Background", "Foreground"`,
        field: 'propagationPolicy',
      },
    ]);
  const conditions = isObject(given['preconditions']) ? given['preconditions'] : {};
  return {
    dryRun: isDryRun(query, given['dryRun']),
    ...(conditions['uid'] ? { uid: String(conditions['uid']) } : {}),
    ...(conditions['resourceVersion'] ? { resourceVersion: String(conditions['resourceVersion']) } : {}),
  };
}

/** Deletes by v3's rules; answers what is left while finalizers remain, or undefined when it is gone. */
export async function deleteObject(
  call: Call,
  options: DeleteOptions,
): Promise<{ was: AnyResource; left?: AnyResource }> {
  const { request, type } = call;
  const was = await seen(call);
  const { name, namespace, uid, resourceVersion } = was.metadata;
  requireMay(call, 'delete', was);
  for (const [what, wanted, is] of [
    ['UID', options.uid, uid],
    ['ResourceVersion', options.resourceVersion, resourceVersion],
  ] as const) {
    if (wanted !== undefined && wanted !== is)
      throw conflict(
        type.declaration.resource,
        name,
        `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${is}`,
      );
  }
  if (options.dryRun) return { was };
  await deleteOne(request, type.served, v3Id({ name, namespace }));
  const left = (await request.deps.resources.find(type.id, name, namespace)) as AnyResource | undefined;
  return left ? { was, left } : { was };
}
