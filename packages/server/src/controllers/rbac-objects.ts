/** A cluster's RBAC objects that are this install's: found by their marks, made, put right and removed, and no others touched. */
import { isAlreadyExists, isNotFound, type Resource } from '@drover/base';
import type { KubeClient, ResourceRef } from '@drover/kube';
import { isMarked, isOurs } from './ours.ts';

/** What of a role or a binding can be compared: a role has rules, a binding has a role and subjects. */
export interface RbacObject extends Resource {
  readonly rules?: readonly unknown[];
  readonly roleRef?: unknown;
  readonly subjects?: readonly unknown[];
}

type Seen<R> = ReadonlyMap<string, R>;

/** `namespace/name`; before the slash nothing where there is no namespace. */
const placeOf = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`;

export interface Marked {
  readonly labelSelector: string;
  readonly installUuid: string;
  readonly signal: AbortSignal;
}

/** What is this install's, or nobody's, by its place. */
export async function readMarked<R extends RbacObject>(
  client: KubeClient,
  ref: ResourceRef,
  { labelSelector, installUuid, signal }: Marked,
): Promise<Map<string, R>> {
  const found = new Map<string, R>();
  for await (const item of client.listAll<R>(ref, { labelSelector, signal }))
    if (isOurs(item, installUuid)) found.set(placeOf(item), item);
  return found;
}

/** Makes all that is wanted, and puts right what differs. */
export async function putAll<R extends RbacObject>(
  client: KubeClient,
  ref: ResourceRef,
  { wanted, seen, installUuid }: { wanted: readonly R[]; seen: Seen<R>; installUuid: string },
): Promise<void> {
  for (const one of wanted) {
    let before = seen.get(placeOf(one));
    if (before && !isEqual(before.roleRef, one.roleRef)) {
      // What a binding gives can't be changed.
      await removeOne(client, ref, before);
      before = undefined;
    }
    const same = before && isEqual(before.rules, one.rules) && isEqual(before.subjects, one.subjects);
    if (!same || !isMarked(before!, installUuid)) await put(client, ref, one, before);
  }
}

/** Removes what is not wanted any more. */
export async function removeRest<R extends RbacObject>(
  client: KubeClient,
  ref: ResourceRef,
  { wanted, seen, when = () => true }: { wanted: readonly R[]; seen: Seen<R>; when?: (object: R) => boolean },
): Promise<void> {
  const kept = new Set(wanted.map(placeOf));
  for (const [place, object] of seen) if (!kept.has(place) && when(object)) await removeOne(client, ref, object);
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

async function put<R extends Resource>(
  client: KubeClient,
  ref: ResourceRef,
  wanted: R,
  seen: R | undefined,
): Promise<void> {
  if (seen) {
    const { resourceVersion } = seen.metadata;
    await client.update(ref, { ...wanted, metadata: { ...wanted.metadata, resourceVersion } });
    return;
  }
  try {
    await client.create(ref, wanted);
  } catch (error) {
    // One of that name without our mark, such as a built-in or another install's: it is left as it is, and made when it goes.
    if (!isAlreadyExists(error)) throw error;
  }
}

async function removeOne(client: KubeClient, ref: ResourceRef, { metadata }: Resource): Promise<void> {
  // As it was seen: another install may have marked it as its own meanwhile.
  const { name, namespace, uid, resourceVersion } = metadata;
  await client.delete(ref, name, { namespace, preconditions: { uid, resourceVersion } }).catch(error => {
    if (!isNotFound(error)) throw error;
  });
}
