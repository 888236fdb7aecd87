/**
 * Workloads of every kind as one collection, with their actions. What another workload made, such as the replica sets of a
 * deployment, is not listed beside it.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type LiveObject, type LiveType, type V3Data, workloadKinds } from '@drover/api';
import { hasReason, ignoreNotFound, invalid, notFound } from '@drover/base';
import type { ApiRequest, ApiView } from '../api/behaviour.ts';
import { createLive, getLive, listLive, modifyLive, removeLive, showLive, updateLive } from './live-store.ts';
import { ensureServices, needsServices, planServices } from './port-services.ts';

const selectorKey = 'workload.user.cattle.io/workloadselector';
const restartedKey = 'cattle.io/timestamp';

const kindOf = (id: string): LiveType => {
  const prefix = id.split(':')[0]?.toLowerCase();
  const found = workloadKinds.find(kind => kind.id.toLowerCase() === prefix);
  if (!found || id.split(':').length !== 3) throw notFound('workload', id);
  return found;
};

/** The type of a workload's id, whichever kind its first part names. */
export const workloadType = kindOf;

export async function listWorkloads(request: ApiView): Promise<V3Data[]> {
  const lists = await Promise.allSettled(
    workloadKinds.map(async kind => ({ kind, all: await listLive(request, kind) })),
  );
  const refused = lists.find(list => list.status === 'rejected' && !hasReason(list.reason, 'Forbidden'));
  if (refused?.status === 'rejected') throw refused.reason;
  if (lists.every(list => list.status === 'rejected')) throw (lists[0] as PromiseRejectedResult).reason;
  return lists.flatMap(list =>
    list.status === 'rejected'
      ? []
      : list.value.all.filter(isOwn).map(object => showLive(request, list.value.kind, object)),
  );
}

const isOwn = ({ metadata }: LiveObject): boolean =>
  !metadata.ownerReferences?.some(({ controller }) => controller === true);

/** Which kind a new workload is: the one whose own struct is given; a deployment where none is. */
function kindOfInput(input: V3Data): LiveType {
  const given = workloadKinds.filter(({ id }) => typeof input[`${id}Config`] === 'object' && input[`${id}Config`]);
  if (given.length > 1 && !(given.length === 2 && input['cronJobConfig'] && input['jobConfig']))
    throw invalid(`${given[1]!.id}Config`, `a workload can't be a ${given[0]!.id} as well`, 'InvalidOption');
  const kind = given.find(({ id }) => id === 'cronJob') ?? given[0];
  const found = kind ?? workloadKinds.find(({ id }) => id === 'deployment')!;
  if (!found.declaration.v3.collectionMethods.includes('POST'))
    throw invalid(`${found.id}Config`, `a ${found.id} can't be made here`, 'InvalidOption');
  return found;
}

export async function createWorkload(request: ApiRequest, input: V3Data, kind = kindOfInput(input)): Promise<V3Data> {
  const own = Object.fromEntries(Object.entries(input).filter(([name]) => name in kind.declaration.schema!.fields));
  if (!Array.isArray(own['containers']) || own['containers'].length === 0)
    throw invalid('containers', 'is required', 'MissingRequired');
  const object = await createLive(request, kind, withSelector(kind, own));
  const data = showLive(request, kind, object);
  const { containers } = own;
  if (!servesPorts(kind) || !needsServices(containers)) return data;
  try {
    await ensureServices(request, { id: String(data['id']), object, containers });
  } catch (error) {
    // Without its services it is not what was asked for.
    await ignoreNotFound(removeLive(request, kind, String(data['id'])));
    throw error;
  }
  return data;
}

/** Pods of jobs come and go: no service leads to them. */
const servesPorts = ({ id }: LiveType): boolean => id !== 'job' && id !== 'cronJob';

/** Kinds that find their pods by labels need some: those given, else one of the workload's own. */
function withSelector(kind: LiveType, input: V3Data): V3Data {
  if (kind.id === 'job' || kind.id === 'cronJob') return input;
  const given = input['selector'] as { matchLabels?: Record<string, string> } | undefined;
  const labels = (input['labels'] ?? {}) as Record<string, string>;
  if (given && Object.keys(given).length > 0) return { ...input, labels: { ...given.matchLabels, ...labels } };
  const own = { [selectorKey]: labelValue(`${kind.id.toLowerCase()}-${input['namespaceId']}-${input['name']}`) };
  return { ...input, labels: { ...labels, ...own }, selector: { matchLabels: own } };
}

/** Labels are cut off at 63: a long one ends in its hash. */
function labelValue(text: string): string {
  if (text.length <= 63) return text;
  return `${text.slice(0, 52)}-${createHash('sha256').update(text).digest('hex').slice(0, 10)}`;
}

export async function updateWorkload(
  request: ApiRequest,
  id: string,
  input: V3Data,
  replace: boolean,
): Promise<V3Data> {
  const kind = kindOf(id);
  const own = Object.fromEntries(Object.entries(input).filter(([name]) => name in kind.declaration.schema!.fields));
  const hasPorts = 'containers' in own && servesPorts(kind);
  const before = hasPorts ? showLive(request, kind, await getLive(request, kind, id))['containers'] : undefined;
  const object = await updateLive(request, kind, id, { input: own, replace });
  const { containers } = own;
  // Ports that stay as they are need no right to services.
  if (hasPorts && !isDeepStrictEqual([...planServices(id, before)], [...planServices(id, containers)]))
    await ensureServices(request, { id, object, containers, before });
  return showLive(request, kind, object);
}

export const removeWorkload = (request: ApiRequest, id: string): Promise<void> => removeLive(request, kindOf(id), id);

interface TemplateSpec {
  readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  readonly jobTemplate?: unknown;
}

/** Makes all of its pods anew, by a mark in their template. */
export async function redeploy(request: ApiRequest, id: string): Promise<void> {
  await modifyLive(request, kindOf(id), id, old => {
    const spec = old.spec as TemplateSpec | undefined;
    if (!spec?.template) throw invalid('action', 'redeploy needs a workload with a template', 'InvalidAction');
    const { metadata = {} } = spec.template;
    const annotations = { ...metadata.annotations, [restartedKey]: new Date().toISOString() };
    const template = { ...spec.template, metadata: { ...metadata, annotations } };
    return { ...old, spec: { ...spec, template } } as LiveObject;
  });
}

/** Stops a deployment's changes from being rolled out, or lets them go on. */
export async function setPaused(request: ApiRequest, id: string, paused: boolean): Promise<void> {
  const kind = kindOf(id);
  if (kind.id !== 'deployment')
    throw invalid('action', `only a deployment can be ${paused ? 'paused' : 'resumed'}`, 'InvalidAction');
  await modifyLive(request, kind, id, old => ({ ...old, spec: { ...(old.spec as object), paused } }) as LiveObject);
}
