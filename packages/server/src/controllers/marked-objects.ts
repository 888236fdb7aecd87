/** Objects in a cluster that are this install's: found by their marks, made, put right and removed, and no others touched. */
import { conflict, ignoreExists, ignoreNotFound, type Resource } from '@drover/base';
import type { KubeClient, ResourceRef } from '@drover/kube';
import { isMarked, isNobodys, isOurs } from './ours.ts';

type Seen<R> = ReadonlyMap<string, R>;

/** `namespace/name`; before the slash nothing where there is no namespace. */
const placeOf = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`;

export interface Marked {
  readonly labelSelector: string;
  readonly installUuid: string;
  readonly namespace?: string;
  readonly signal: AbortSignal;
  /** Told when they could not be read. */
  readonly onLeft?: () => void;
}

/** What is this install's, or nobody's, by its place. */
export async function readMarked<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  { installUuid, onLeft, ...where }: Marked,
): Promise<Map<string, R>> {
  const found = new Map<string, R>();
  try {
    for await (const item of client.listAll<R>(ref, where))
      if (isOurs(item, installUuid)) found.set(placeOf(item), item);
  } catch (error) {
    onLeft?.();
    throw error;
  }
  return found;
}

export interface Failure {
  readonly error: unknown;
  /** Something that should have lost a right may still have it; else only something new was not taken. */
  readonly isPartly: boolean;
}

/** Runs the work, and says what failed; `onLeft` is for the work to call where something that is there stays as it is. */
export async function applyWhole(work: (onLeft: () => void) => Promise<void>): Promise<Failure | undefined> {
  let isPartly = false;
  try {
    await work(() => {
      isPartly = true;
    });
    return undefined;
  } catch (error) {
    return { error, isPartly };
  }
}

export interface Wanted<R> {
  readonly wanted: readonly R[];
  readonly seen: Seen<R>;
  readonly installUuid: string;
  /** Fields that the cluster's own side writes, and that stay. */
  readonly keeps?: readonly (keyof R & string)[];
  /** One of its name that has nobody's marks is ours, too: nobody else would give that name. */
  readonly adopts?: boolean;
  /** Told of each that somebody else has there under its name, and that says something else. */
  readonly onForeign?: (wanted: R) => void;
  /** Told when one that is there could not be changed. */
  readonly onLeft?: () => void;
}

/**
 * Does all of them, in their order or some at once, whichever fail; then throws what the first that failed threw. What one can't have must
 * not keep another's right alive.
 */
export async function doAll(works: Iterable<() => Promise<unknown>>, atOnce = 1): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  const rest = works[Symbol.iterator]();
  const doRest = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      try {
        await next.value();
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, doRest));
  if (failure) throw failure.error;
}

/** Objects written to a cluster at once. */
const writesAtOnce = 8;

/** Makes all that is wanted, and puts right what differs; one that the cluster does not take keeps no other from it. */
export function putAll<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  { wanted, seen, installUuid, keeps = [], adopts, onForeign, onLeft }: Wanted<R>,
): Promise<void> {
  const putOne = async (one: R) => {
    try {
      await put(one);
    } catch (error) {
      if (seen.has(placeOf(one))) onLeft?.();
      throw error;
    }
  };
  const put = async (one: R, adopted?: R): Promise<void> => {
    let before = adopted ?? seen.get(placeOf(one));
    if (before && !isEqual(fieldsOf(before)['roleRef'], fieldsOf(one)['roleRef'])) {
      // What a binding gives can't be changed.
      await removeOne(client, ref, before);
      before = undefined;
    }
    if (!before) {
      // One of that name without our mark, such as a built-in or another install's: it is left as it is, and made when it goes.
      if (!(await ignoreExists(client.create(ref, one))) && (onForeign || adopts)) await meet(one);
    } else if (adopted || !holds(before, one) || !isMarked(before, installUuid)) {
      const { resourceVersion } = before.metadata;
      const kept = Object.fromEntries(keeps.map(field => [field, before[field]]));
      await client.update(ref, { ...kept, ...one, metadata: { ...one.metadata, resourceVersion } });
    }
  };
  const isOrphan = (there: R) => isNobodys(there) || isMarked(there, installUuid) || isOurs(there, installUuid);
  const meet = async (one: R) => {
    const there = await ignoreNotFound(client.get<R>(ref, one.metadata.name, { namespace: one.metadata.namespace }));
    if (there && adopts && isOrphan(there)) return put(one, there);
    if (!onForeign || !there || isOurs(there, installUuid) || holds(there, one)) return;
    onForeign(one);
    throw conflict(ref.resource, one.metadata.name, 'the cluster has another one of that name');
  };
  return doAll(
    wanted.map(one => () => putOne(one)),
    writesAtOnce,
  );
}

export interface Rest<R> {
  readonly wanted: readonly R[];
  readonly seen: Seen<R>;
  readonly when?: (object: R) => boolean;
  /** The marks of another part that needs the object from now on; undefined where none does. */
  readonly heir?: (object: R) => Readonly<Record<string, string | null>> | undefined;
  /** Told when one could not be removed. */
  readonly onLeft?: () => void;
}

/** Removes what is not wanted any more, or hands it over to the part that still needs it. */
export function removeRest<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  { wanted, seen, when = () => true, heir = () => undefined, onLeft }: Rest<R>,
): Promise<void> {
  const kept = new Set(wanted.map(placeOf));
  const rest = [...seen].filter(([place, object]) => !kept.has(place) && when(object));
  return doAll(
    rest.map(([, object]) => async () => {
      const labels = heir(object);
      const { name, namespace } = object.metadata;
      try {
        if (!labels) return await removeOne(client, ref, object);
        await client.patch(ref, name, { metadata: { labels } }, { type: 'merge', namespace });
      } catch (error) {
        onLeft?.();
        throw error;
      }
    }),
    writesAtOnce,
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
