/**
 * Keeps a second process from a store file: an SQLite lock on a file beside it, held for as long as the store is open. The kernel
 * gives it back however the process ends.
 */
import { DatabaseSync } from 'node:sqlite';
import { unavailable } from '@drover/base';
import { isBusy, sqliteError } from './errors.ts';

/** Throws ServiceUnavailable that names the file when another process (or this one) has it open. */
export function lockStore(path: string): Disposable {
  if (path === ':memory:') return { [Symbol.dispose]: () => undefined };
  const lockPath = `${path}.lock`;
  try {
    const lock = new DatabaseSync(lockPath, { timeout: 0 });
    try {
      lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      throw error;
    }
    return { [Symbol.dispose]: () => lock.close() };
  } catch (error) {
    if (!isBusy(error)) throw sqliteError(error, lockPath);
    throw unavailable(`${path} is in use by another process; stop that one first, or use another data directory`, {
      cause: error,
    });
  }
}
