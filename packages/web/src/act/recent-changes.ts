/**
 * What was done in this tab and can be had back: each with the way back, the latest first. Toasts offer the same for ten seconds; this
 * list, as long as the tab is open.
 */
import i18next from 'i18next';
import { useSyncExternalStore } from 'react';
import { showToast } from '../parts/toasts.ts';

export interface RecentChange {
  readonly id: number;
  readonly text: string;
  readonly at: number;
  readonly state: 'done' | 'busy' | 'undone';
  readonly undo: () => Promise<unknown>;
}

const most = 50;
let changes: readonly RecentChange[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly RecentChange[]): void {
  changes = next;
  for (const listener of listeners) listener();
}

const mark = (id: number, state: RecentChange['state']): void =>
  set(changes.map(one => (one.id === id ? { ...one, state } : one)));

/** Says that something was done, and keeps the way back. */
export function showUndoable(text: string, undo: () => Promise<unknown>): void {
  const id = ++last;
  set([{ id, text, at: Date.now(), state: 'done' as const, undo }, ...changes].slice(0, most));
  showToast({ text, undo: () => void takeBack(id) });
}

export async function takeBack(id: number): Promise<void> {
  const found = changes.find(one => one.id === id);
  if (found?.state !== 'done') return;
  mark(id, 'busy');
  try {
    await found.undo();
    mark(id, 'undone');
    showToast({ text: i18next.t('act.undone', { name: found.text }) });
  } catch (error) {
    mark(id, 'done');
    showToast({ text: found.text, error });
  }
}

export function useRecentChanges(): readonly RecentChange[] {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => changes,
  );
}
