/** Toasts: that something was done, with the way to take it back for a while; errors stay until they are closed. */
import { useSyncExternalStore } from 'react';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly error?: unknown;
  readonly undo?: () => void;
}

const shownMs = 10_000;
const most = 4;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function showToast(toast: Omit<Toast, 'id'>): void {
  const id = ++last;
  set([...toasts.slice(1 - most), { ...toast, id }]);
  if (!toast.error) setTimeout(() => closeToast(id), shownMs);
}

export function closeToast(id: number): void {
  set(toasts.filter(toast => toast.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
