/** What lies over the page, opened by keys and buttons alike: the palette, the sheet of keys or what was done, one at a time. */
import { useSyncExternalStore } from 'react';

export type Overlay = 'palette' | 'help' | 'history' | undefined;

let open: Overlay;
const listeners = new Set<() => void>();

export function openOverlay(next: Overlay): void {
  open = next;
  for (const listener of listeners) listener();
}

export function useOverlay(): Overlay {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open,
  );
}

export const isMac = typeof navigator !== 'undefined' && /mac/i.test(navigator.userAgent);
