/** Objects in a cluster that are this install's: found by their marks, made, put right and removed, and no others touched. */
import { ignoreExists, ignoreNotFound, type Resource } from '@drover/base';
import type { KubeClient, ResourceRef } from '@drover/kube';
import { isMarked, isOurs } from './ours.ts';

type Seen<R> = ReadonlyMap<string, R>;

/** `namespace/name`; before the slash nothing where there is no namespace. */
const placeOf = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`;

export interface Marked {
  readonly labelSelector: string;
  readonly installUuid: string;
  readonly namespace?: string;
  readonly signal: AbortSignal;
}

/** What is this install's, or nobody's, by its place. */
export async function readMarked<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  { installUuid, ...where }: Marked,
): Promise<Map<string, R>> {
  const found = new Map<string, R>();
  for await (const item of client.listAll<R>(ref, where)) if (isOurs(item, installUuid)) found.set(placeOf(item), item);
  return found;
}

export interface Wanted<R> {
  readonly wanted: readonly R[];
  readonly seen: Seen<R>;
  readonly installUuid: string;
  /** Fields that the cluster's own side writes, and that stay. */
  readonly keeps?: readonly (keyof R & string)[];
}

/** Does all of them in their order, whichever fail; then throws what the first that failed threw. What one can't have must not keep another's right alive. */
export async function doAll(works: Iterable<() => Promise<unknown>>): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
}

/** Makes all that is wanted, and puts right what differs; one that the cluster does not take keeps no other from it. */
export function putAll<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  { wanted, seen, installUuid, keeps = [] }: Wanted<R>,
): Promise<void> {
  const put = async (one: R) => {
    let before = seen.get(placeOf(one));
    if (before && !isEqual(fieldsOf(before)['roleRef'], fieldsOf(one)['roleRef'])) {
      // What a binding gives can't be changed.
      await removeOne(client, ref, before);
      before = undefined;
    }
    if (!before) {
      // One of that name without our mark, such as a built-in or another install's: it is left as it is, and made when it goes.
      await ignoreExists(client.create(ref, one));
    } else if (!holds(before, one) || !isMarked(before, installUuid)) {
      const { resourceVersion } = before.metadata;
      const kept = Object.fromEntries(keeps.map(field => [field, before[field]]));
      await client.update(ref, { ...kept, ...one, metadata: { ...one.metadata, resourceVersion } });
    }
  };
  return doAll(wanted.map(one => () => put(one)));
}

export interface Rest<R> {
  readonly wanted: readonly R[];
  readonly seen: Seen<R>;
  readonly when?: (object: R) => boolean;
  /** The marks of another part that needs the object from now on; undefined where none does. */
  readonly heir?: (object: R) => Readonly<Record<string, string | null>> | undefined;
}

/** Removes what is not wanted any more, or hands it over to the part that still needs it. */
export function removeRest<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  { wanted, seen, when = () => true, heir = () => undefined }: Rest<R>,
): Promise<void> {
  const kept = new Set(wanted.map(placeOf));
  const rest = [...seen].filter(([place, object]) => !kept.has(place) && when(object));
  return doAll(
    rest.map(([, object]) => async () => {
      const labels = heir(object);
      if (!labels) return await removeOne(client, ref, object);
      const { name, namespace } = object.metadata;
      await client.patch(ref, name, { metadata: { labels } }, { type: 'merge', namespace });
    }),
  );
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What is the object's own, beside what every one has. */
function fieldsOf(object: Resource): Readonly<Record<string, unknown>> {
  const { apiVersion: _, kind: __, metadata: ___, ...fields } = object as Resource & Record<string, unknown>;
  return fields;
}

/** Whether it has all that is wanted; what the cluster fills in besides may stay. */
function holds(before: Resource, wanted: Resource): boolean {
  const seen = fieldsOf(before);
  return Object.entries(fieldsOf(wanted)).every(([name, value]) => isEqual(seen[name], value));
}

async function removeOne(client: KubeClient, ref: ResourceRef, { metadata }: Resource): Promise<void> {
  // As it was seen: another install may have marked it as its own meanwhile.
  const { name, namespace, uid, resourceVersion } = metadata;
  await ignoreNotFound(client.delete(ref, name, { namespace, preconditions: { uid, resourceVersion } }));
}
