/**
 * The worker's thread: holds the rows of all types, so that reading, sorting and searching them holds up no request that only passes
 * through the server. Its database is a file without a name, which is gone with the process however that ends.
 */
import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, StatusError } from '@drover/base';
import { IndexDb } from './index-db.ts';
import { type WorkerCalls, workerCalls } from './worker-calls.ts';

/** One question to the worker. */
export interface Call {
  readonly id: number;
  readonly name: keyof WorkerCalls;
  readonly args: readonly unknown[];
}

/** Its answer: what came of it, or what was wrong. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: {
    readonly status: number;
    readonly reason: string;
    readonly message: string;
    readonly field?: string;
    readonly code?: string;
  };
}

const { path } = workerData as { readonly path: string };
const db = new IndexDb(path);
rmSync(path, { force: true });
const calls = workerCalls(db);

/** Indexes are made one at a time behind the answers, and questions come between them. */
let isIndexing = false;
function indexSoon(): void {
  if (isIndexing) return;
  isIndexing = true;
  setImmediate(() => {
    isIndexing = false;
    if (db.indexOne()) indexSoon();
  });
}

parentPort!.on('message', async ({ id, name, args }: Call) => {
  let reply: Reply;
  try {
    const call = calls[name] as (...args: readonly unknown[]) => unknown;
    const called = call(...args);
    reply = { id, value: called instanceof Promise ? await called : called };
  } catch (error) {
    const known = error instanceof StatusError ? error : new StatusError(500, 'InternalError', messageOf(error));
    const { status, reason, message, details } = known;
    reply = {
      id,
      error: {
        status,
        reason,
        message,
        ...(details.field ? { field: details.field } : {}),
        ...(details.code ? { code: details.code } : {}),
      },
    };
  }
  parentPort!.postMessage(reply);
  indexSoon();
});
