/** Which objects are being changed just now, so that every place that shows one can say so. */
import { useSyncExternalStore } from 'react';

let pending: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

function set(next: ReadonlySet<string>): void {
  pending = next;
  for (const listener of listeners) listener();
}

/** The key of an object among all clusters. */
export const pendingKey = (clusterId: string, plural: string, id: string): string => `${clusterId} ${plural} ${id}`;

/** Holds the mark while the promise runs. */
export async function whilePending<T>(key: string, run: () => Promise<T>): Promise<T> {
  set(new Set([...pending, key]));
  try {
    return await run();
  } finally {
    set(new Set([...pending].filter(one => one !== key)));
  }
}

export function useIsPending(key: string): boolean {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => pending.has(key),
  );
}
