/**
 * Moves the write-ahead log into the file. A worker thread does the long part, so the event loop does not wait for the disk; it
 * is made when needed and gone afterwards.
 */
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';

// In plain JavaScript and in a string, so that a bundled server needs no second file.
const body = `
  const { DatabaseSync } = require('node:sqlite');
  const { workerData } = require('node:worker_threads');
  const db = new DatabaseSync(workerData, { timeout: 2000 });
  db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  db.close();
`;

/** Writers may go on meanwhile; the log is begun anew at their next write once all of it is in the file. */
export async function checkpoint(db: DatabaseSync, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const worker = new Worker(body, { eval: true, workerData: path });
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
