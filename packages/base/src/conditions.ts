/**
 * Conditions, set in one way only, so that lastTransitionTime moves exactly when the status does and an unchanged
 * condition gives back the same array.
 */
import type { Condition } from './resource.ts';

export type NewCondition = Omit<Condition, 'lastTransitionTime' | 'lastUpdateTime'>;

/** The conditions with `next` in its place; the same array when nothing about it changed. */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  next: NewCondition,
  now = new Date(),
): readonly Condition[] {
  const all = conditions ?? [];
  const index = all.findIndex(condition => condition.type === next.type);
  const old = all[index];
  if (
    old &&
    old.status === next.status &&
    (old.reason ?? '') === (next.reason ?? '') &&
    (old.message ?? '') === (next.message ?? '')
  ) {
    return all;
  }
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const made: Condition = {
    ...next,
    lastTransitionTime: old && old.status === next.status ? (old.lastTransitionTime ?? time) : time,
    lastUpdateTime: time,
  };
  return index < 0 ? [...all, made] : all.with(index, made);
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find(condition => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}
