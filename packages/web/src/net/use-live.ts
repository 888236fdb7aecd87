/** Hooks that keep what is shown the same as what is there: a query, and the subscription that asks it again. */
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { type LiveState, liveState, onLiveState, watchType } from './live.ts';

/** Asks the queries under `key` again whenever something of the type has changed. */
export function useLive(
  root: string | undefined,
  resourceType: string | undefined,
  key: QueryKey,
  namespace?: string,
): void {
  const client = useQueryClient();
  const keyText = JSON.stringify(key);
  useEffect(() => {
    if (!root || !resourceType) return undefined;
    const wish = { resourceType, ...(namespace ? { namespace } : {}) };
    return watchType(root, wish, () => void client.invalidateQueries({ queryKey: JSON.parse(keyText) as QueryKey }));
  }, [client, root, resourceType, keyText, namespace]);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(onLiveState, liveState);
}
