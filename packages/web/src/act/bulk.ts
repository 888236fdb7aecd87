/**
 * One action on many objects: a few at a time, each with a result of its own; it can be stopped between two, and what was refused tried
 * again. Whatever has been done can be taken back as one, where each of it can.
 */
import { at, type KubeObject, pathOf } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { type Action, patch, remove, replicas } from './actions.ts';
import { keepManifest, remake } from './kept-manifests.ts';

export type Outcome = 'done' | 'stopped' | Error;
/** Takes back what was done with one object. */
export type Back = () => Promise<unknown>;

const atOnce = 4;

/** Does it with one; answers what takes it back. */
export async function actOn(
  action: Action,
  object: KubeObject,
  { count, signal }: { readonly count?: number; readonly signal?: AbortSignal } = {},
): Promise<Back | undefined> {
  if (action.name === 'remove') {
    const kept = await keepManifest(object);
    await remove(object, signal);
    return kept && (() => remake(kept));
  }
  // Rows hold no spec: what an object was is asked for before it is changed.
  const before = await ask<KubeObject>(`${pathOf(object.links['self']!)}?include=spec`, signal ? { signal } : {});
  const whole = { ...object, spec: before.spec };
  if (action.name === 'scale') {
    const was = Number(at(before, 'spec.replicas') ?? 1);
    await patch(object, replicas(count ?? was), signal);
    return () => patch(object, replicas(was));
  }
  await patch(object, action.change!(whole), signal);
  return action.back && (() => patch(object, action.back!(whole)));
}

export interface BulkRun {
  readonly objects: readonly KubeObject[];
  readonly act: (object: KubeObject, signal: AbortSignal) => Promise<Back | undefined>;
  readonly onOutcome: (id: string, outcome: Outcome) => void;
  readonly signal: AbortSignal;
}

/** Runs until all have had their turn or it is stopped; answers what takes back what was done, the latest first. */
export async function runBulk({ objects, act, onOutcome, signal }: BulkRun): Promise<readonly Back[]> {
  const waiting = [...objects];
  const backs: Back[] = [];
  const worker = async (): Promise<void> => {
    for (let object = waiting.shift(); object; object = waiting.shift()) {
      if (signal.aborted) {
        onOutcome(object.id, 'stopped');
        continue;
      }
      try {
        const back = await act(object, signal);
        if (back) backs.unshift(back);
        onOutcome(object.id, 'done');
      } catch (error) {
        onOutcome(object.id, signal.aborted ? 'stopped' : (error as Error));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return backs;
}
