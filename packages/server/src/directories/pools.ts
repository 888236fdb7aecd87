/** The pools of the directories that are configured now: one for each configuration, the one used longest ago ended when it is one too many. */
import { hash } from 'node:crypto';
import type { ProviderConfig } from '../auth-providers/configured-provider.ts';
import { DirectoryPool } from './pool.ts';
import { type DirectoryKind, directorySettings } from './settings.ts';

const mostPools = 8;

export class DirectoryPools {
  readonly #pools = new Map<string, DirectoryPool>();

  /** The pool for that configuration, the same as long as nothing of it changes. Throws Invalid where it can't be used. */
  of({ name, fields }: Pick<ProviderConfig, 'name' | 'fields'>): DirectoryPool {
    const id = hash('sha256', JSON.stringify([name, Object.entries(fields).sort()]), 'base64');
    const pool = this.#pools.get(id) ?? new DirectoryPool(directorySettings(name as DirectoryKind, fields));
    this.#pools.delete(id);
    this.#pools.set(id, pool);
    const [oldest] = this.#pools.keys();
    if (this.#pools.size > mostPools) this.#end(oldest!);
    return pool;
  }

  /** Ends what is idle; a later question opens what it needs anew. */
  close(): void {
    for (const id of [...this.#pools.keys()]) this.#end(id);
  }

  #end(id: string): void {
    this.#pools.get(id)?.close();
    this.#pools.delete(id);
  }
}
