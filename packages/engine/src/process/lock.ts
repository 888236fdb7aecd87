/**
 * A lock between processes that the kernel takes back when its holder dies, however it dies: SQLite's lock on an empty
 * database. Nothing has to be judged stale, and it is the same on Linux and macOS.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sleep, unavailable } from '@drover/base';

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Fails with ServiceUnavailable saying this, instead of waiting, when another one holds the lock. */
  readonly orFail?: string;
  /** Told once when there is somebody to wait for. */
  readonly onWait?: () => void;
}

/** Holds the lock `path` until disposed; waits for whoever has it, in this process or another. */
export async function holdLock(path: string, options: LockOptions = {}): Promise<AsyncDisposable> {
  const { DatabaseSync } = await import('node:sqlite');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let told = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
      return {
        async [Symbol.asyncDispose]() {
          database.close();
        },
      };
    } catch (error) {
      database.close();
      if (!/locked|busy/i.test((error as Error).message)) throw error;
    }
    if (options.orFail !== undefined) throw unavailable(options.orFail);
    if (!told) options.onWait?.();
    told = true;
    await sleep(100, options.signal);
  }
}
