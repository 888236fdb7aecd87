/**
 * Controller: a named async function from a fresh resource to the world. It may run twice, never twice at once for one
 * resource. Return = done, `{ after }` = look again, throw = back off, throw terminal() = wait until the resource changes.
 */
import type { TypedResource, TypeId } from '@drover/api';
import { isTerminal, isUnavailable, keyOf, type Log, messageOf, WorkQueue } from '@drover/base';
import type { CacheListener, Caches, ResourceCache } from './cache.ts';
import type { Resources } from './resources.ts';

export interface ControllerContext {
  readonly resources: Resources;
  readonly caches: Caches;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export type Outcome = { readonly after: number } | undefined;

export interface Controller<Id extends TypeId> {
  readonly name: string;
  readonly for: Id;
  /** Other types whose changes are a reason to look: each says which resources (by cache key) of `for` it concerns. */
  readonly watches?: {
    readonly [Other in TypeId]?: (resource: TypedResource<Other>, context: ControllerContext) => readonly string[];
  };
  readonly workers?: number;
  /** Given the resource as it is now; never one that is being deleted. */
  reconcile(resource: TypedResource<Id>, context: ControllerContext): Promise<Outcome>;
  /** Where the controller owns something outside: undoes it. Its finalizer is added before the first reconcile and taken off after this. */
  finalize?(resource: TypedResource<Id>, context: ControllerContext): Promise<Outcome>;
}

export function controller<Id extends TypeId>(declaration: Controller<Id>): Controller<Id> {
  return declaration;
}

/** Rancher's form, so that tools that know it see what a deletion waits for. */
export const finalizerOf = (name: string): string => `controller.cattle.io/${name}`;

export interface RunningController {
  readonly name: string;
  /** Resources waiting for a worker. */
  depth(): number;
  /** Asks for one resource to be looked at now. */
  poke(key: string): void;
}

/** Half a minute. A cluster that is away is said once, by its own condition, and not by each controller at each of its tries. */
const quietTries = 13;

/** Starts the controller on synced caches; it ends with the context's signal. */
export function startController<Id extends TypeId>(
  declaration: Controller<Id>,
  context: ControllerContext,
): RunningController {
  const log = context.log.child({ controller: declaration.name });
  const own = context.caches[declaration.for] as unknown as ResourceCache<Id>;
  const run = (key: string) => reconcileKey(declaration, own.byKey(key), { ...context, log });
  const queue = new WorkQueue(run, {
    workers: declaration.workers ?? 4,
    backoff: { minMs: 5, maxMs: 300_000 },
    signal: context.signal,
    onError(key, error, tries) {
      if (context.signal.aborted) return false;
      const level = isUnavailable(error) && tries < quietTries ? 'debug' : 'warn';
      log[level]({ key, tries, reason: messageOf(error) }, 'reconcile failed');
      return !isTerminal(error);
    },
  });
  own.subscribe(change => queue.add(change.key), context.signal);
  for (const [other, keysOf] of Object.entries(declaration.watches ?? {})) {
    const listener: CacheListener<never> = ({ before, after }) => {
      for (const seen of [before, after]) {
        if (seen)
          for (const key of (keysOf as (resource: never, context: ControllerContext) => readonly string[])(
            seen,
            context,
          ))
            queue.add(key);
      }
    };
    (context.caches[other as TypeId] as unknown as ResourceCache<TypeId, never>).subscribe(listener, context.signal);
  }
  return { name: declaration.name, depth: () => queue.depth, poke: key => queue.add(key) };
}

async function reconcileKey<Id extends TypeId>(
  declaration: Controller<Id>,
  resource: TypedResource<Id> | undefined,
  context: ControllerContext,
): Promise<number | undefined> {
  if (!resource) return undefined;
  const finalizer = finalizerOf(declaration.name);
  const place = { name: resource.metadata.name, namespace: resource.metadata.namespace };
  const marked = resource.metadata.finalizers?.includes(finalizer) ?? false;
  if (resource.metadata.deletionTimestamp) {
    if (!marked || !declaration.finalize) return undefined;
    const outcome = await declaration.finalize(resource, context);
    if (outcome) return outcome.after;
    await context.resources.modify(declaration.for, place, seen =>
      withFinalizers(seen, all => all.filter(name => name !== finalizer)),
    );
    return undefined;
  }
  if (declaration.finalize && !marked) {
    const added = await context.resources.modify(declaration.for, place, seen =>
      seen.metadata.deletionTimestamp
        ? undefined
        : withFinalizers(seen, all => [...all.filter(name => name !== finalizer), finalizer]),
    );
    context.log.debug({ key: keyOf(added.metadata) }, 'finalizer added');
    return declaration.reconcile(added, context).then(outcome => outcome?.after);
  }
  return (await declaration.reconcile(resource, context))?.after;
}

function withFinalizers<R extends TypedResource<TypeId>>(
  resource: R,
  change: (all: readonly string[]) => readonly string[],
): R {
  return { ...resource, metadata: { ...resource.metadata, finalizers: change(resource.metadata.finalizers ?? []) } };
}
