/**
 * CacheWorker: the main thread's end of the worker. Started at the first question; when it ends against its will, what was asked fails
 * and whoever has rows in it is told to read them anew.
 */

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Reason, StatusError, unavailable } from '@drover/base';
import type { Call, Reply } from './worker.ts';
import type { WorkerCalls } from './worker-calls.ts';

type Calls = {
  readonly [Name in keyof WorkerCalls]: (
    ...args: Parameters<WorkerCalls[Name]>
  ) => Promise<Awaited<ReturnType<WorkerCalls[Name]>>>;
};

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const names: readonly (keyof WorkerCalls)[] = [
  'open',
  'drop',
  'page',
  'finish',
  'put',
  'remove',
  'watchStart',
  'watch',
  'query',
  'find',
  'counts',
];
/** The worker must not grow into the server's memory; rows are in its file. */
const maxHeapMb = 512;

export class CacheWorker implements AsyncDisposable {
  readonly #dir: string;
  readonly #pending = new Map<number, Pending>();
  readonly #lost = new Set<() => void>();
  #worker: Promise<Worker> | undefined;
  #next = 1;
  #closed = false;
  readonly calls: Calls;

  /** `dir` takes its file while that has a name. */
  constructor(dir: string) {
    this.#dir = dir;
    const calls = names.map(name => [name, (...args: unknown[]) => this.#call(name, args)]);
    this.calls = Object.fromEntries(calls) as unknown as Calls;
  }

  /** Told when all rows are lost. */
  onLost(listener: () => void): () => void {
    this.#lost.add(listener);
    return () => this.#lost.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await (await this.#worker?.catch(() => undefined))?.terminate();
  }

  async #call(name: Call['name'], args: readonly unknown[]): Promise<unknown> {
    if (this.#closed) throw unavailable('the server is stopping');
    const worker = await (this.#worker ??= this.#start());
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, name, args } satisfies Call);
    });
  }

  async #start(): Promise<Worker> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const path = join(this.#dir, `lists-${randomUUID()}.db`);
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { path },
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    worker.unref();
    worker.on('message', (reply: Reply) => this.#answer(reply));
    let cause: unknown;
    worker.on('error', error => (cause = error));
    worker.on('exit', () => {
      this.#worker = undefined;
      for (const { reject } of this.#pending.values()) reject(unavailable('the lists are being read anew', { cause }));
      this.#pending.clear();
      for (const listener of [...this.#lost]) listener();
    });
    return worker;
  }

  #answer({ id, value, error }: Reply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!error) {
      pending?.resolve(value);
      return;
    }
    const { status, reason, message, field, code } = error;
    pending?.reject(
      new StatusError(status, reason as Reason, message, {
        details: { ...(field ? { field } : {}), ...(code ? { code } : {}) },
      }),
    );
  }
}
