/** What the replicas on a store agree on by who is first: made once, found by everybody else and at every later start. */
import { isAlreadyExists } from '@drover/base';
import type { Store } from '@drover/store';

/** The value at the key; `make` gives it where there is none yet, and is not heard when another was faster. */
export async function firstValue(store: Store, key: string, make: () => Promise<string> | string): Promise<string> {
  for (;;) {
    const entry = await store.get(key);
    if (entry) return entry.value;
    try {
      return (await store.create(key, await make())).value;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
