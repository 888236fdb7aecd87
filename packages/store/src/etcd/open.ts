/** Loads the etcd driver only when it is used: a server on the embedded store neither waits for gRPC nor needs its files. */
import type { Store } from '../store.ts';
import type { EtcdConnection } from './rpc.ts';

export interface EtcdOptions extends EtcdConnection {
  /** Put before every key, so that an etcd can be shared (default `/drover/`). */
  readonly prefix?: string;
}

/** Opens the store; throws ServiceUnavailable that names the endpoints when none of them can be reached. */
export async function openEtcdStore(options: EtcdOptions): Promise<Store> {
  const { EtcdStore } = await import('./etcd-store.ts');
  const store = new EtcdStore(options);
  try {
    await store.begin();
    return store;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
