/**
 * TypeCache: the objects of one type of one cluster, listed and watched by the server itself and kept in the worker. It starts when
 * somebody asks, and is stopped by whoever owns it when nobody has asked for long.
 */
import type { Readable } from 'node:stream';
import {
  anySignal,
  backoffMs,
  isExpired,
  type Log,
  messageOf,
  parseStatus,
  StatusError,
  sleep,
  tooLarge,
  unavailable,
  until,
  withSignal,
} from '@drover/base';
import { type KubeClient, resourcePath } from '@drover/kube';
import type { Column } from './cache/ages.ts';
import type { CacheWorker } from './cache/cache-worker.ts';
import type { RowType } from './cache/row.ts';
import { tableAccept } from './cache/table-bytes.ts';
import type { RowEvent } from './cache/worker-calls.ts';
import { EventRing } from './event-ring.ts';
import type { SteveType } from './steve-type.ts';

export interface TypeCacheOptions {
  readonly worker: CacheWorker;
  readonly client: KubeClient;
  readonly type: SteveType;
  /** The worker's name for its rows. */
  readonly table: string;
  readonly maxBytes: number;
  readonly log: Log;
}

/** How far a first list has come. */
export interface Reading {
  readonly read: number;
  /** How many there are in all, where the cluster says so. */
  readonly of?: number;
}

export interface RowListener {
  event(event: RowEvent): void;
  ended(): void;
}

const pageSize = 500;
/** What one page may weigh; where objects are that large, pages get shorter. */
const maxPageBytes = 48 << 20;
const watchSeconds = 300;
/** A type that can't be watched is listed again so often while somebody looks. */
const pollMs = 5000;
const fillTimeoutMs = 60_000;

export class TypeCache {
  readonly type: SteveType;
  readonly table: string;
  readonly ring = new EventRing();
  readonly #options: TypeCacheOptions;
  readonly #listeners = new Set<RowListener>();
  #run: Run | undefined;
  #generation = 0;
  #version = '';
  #bytes = 0;
  #columns: readonly Column[] | undefined;
  #reading: Reading | undefined;
  #failed: StatusError | undefined;
  lastUsed = performance.now();

  constructor(options: TypeCacheOptions) {
    this.#options = options;
    this.type = options.type;
    this.table = options.table;
  }

  /** The revision that the rows are at; empty before the first list is in. */
  get version(): string {
    return this.#version;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get columns(): readonly Column[] | undefined {
    return this.#columns;
  }

  /** How far the first list has come while only some of its rows are there. */
  get reading(): Reading | undefined {
    return this.#reading;
  }

  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  /**
   * Resolves when its rows can be read, or, `early`, when some of them can; throws why they can't: RequestEntityTooLarge where they are
   * too many.
   */
  async ready({ early = false }: { readonly early?: boolean } = {}): Promise<void> {
    this.lastUsed = performance.now();
    if (this.#failed && hasGivenUp(this.#failed)) throw this.#failed;
    const run = (this.#run ??= this.#start());
    if (run.failed) throw run.failed;
    try {
      await withSignal((early ? run.begun : run.filled).promise, AbortSignal.timeout(fillTimeoutMs));
    } catch (cause) {
      if (cause instanceof StatusError) throw cause;
      throw unavailable(`${this.type.plural} are still being read from the cluster`, {
        cause: this.#failed,
        retryAfterSeconds: 5,
      });
    }
  }

  /** Resolves when the rows are at least at this revision; throws Timeout otherwise. */
  async reached(version: bigint, timeoutMs = 2000): Promise<void> {
    await until(`revision ${version}`, () => BigInt(this.#version || '0') >= version, { timeoutMs });
  }

  /** Tells each change after it is in the rows, and that no more are told; gives the function that ends it. */
  subscribe(listener: RowListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.lastUsed = performance.now();
      this.#listeners.delete(listener);
    };
  }

  /** Ends it and gives its rows back; the next `ready` starts anew. */
  async stop(reason = 'nobody looks at it'): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#version = '';
    this.#bytes = 0;
    this.#reading = undefined;
    run?.stop.abort(unavailable(reason));
    run?.filled.reject(unavailable(reason));
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.ended();
    await this.#options.worker.calls.drop(this.table).catch(() => undefined);
  }

  #start() {
    const run: Run = { stop: new AbortController(), ...awaited() };
    const { stop } = run;
    this.#failed = undefined;
    void this.#keep(run).catch(error => {
      if (stop.signal.aborted) return;
      this.#failed = error instanceof StatusError ? error : unavailable(messageOf(error), { cause: error });
      run.filled.reject(this.#failed);
      if (this.#run === run) void this.stop(messageOf(error));
    });
    return run;
  }

  async #keep(run: Run): Promise<void> {
    const { worker, log, type, table } = this.#options;
    const { signal } = run.stop;
    const rowType: RowType = {
      apiVersion: type.ref.apiVersion,
      kind: type.kind,
      columns: [],
      withoutBodies: isSecret(type),
    };
    await worker.calls.open(table, rowType);
    let listed = false;
    for (let failures = 0; !signal.aborted; ) {
      const startedAt = performance.now();
      try {
        if (!listed) await this.#list(run);
        listed = true;
        run.failed = undefined;
        run.filled.resolve();
        if (type.verbs.includes('watch')) await this.#watch(signal);
        else {
          await sleep(pollMs, signal);
          listed = false;
          if (performance.now() - this.lastUsed > 6 * pollMs && !this.isUsed) return void (await this.stop());
        }
        failures = performance.now() - startedAt < 1000 ? failures + 1 : 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error)) listed = false;
        const known = error instanceof StatusError ? error : unavailable(messageOf(error), { cause: error });
        this.#failed = known;
        if (hasGivenUp(known)) throw known;
        failures = performance.now() - startedAt > 5000 ? 1 : failures + 1;
        if (failures === 5) log.warn({ err: error, type: type.plural }, 'a type of a cluster can not be kept in step');
        if (!listed && failures > 2) {
          run.filled.reject(known);
          Object.assign(run, awaited(), { failed: known });
        }
      }
      if (failures > 0)
        await sleep(backoffMs(failures - 1, { minMs: 100, maxMs: 30_000 }), signal).catch(() => undefined);
    }
  }

  async #list(run: Run): Promise<void> {
    const { signal } = run.stop;
    const { worker, table, maxBytes, type } = this.#options;
    const { calls } = worker;
    const generation = ++this.#generation;
    const announce = this.#version !== '';
    let next: string | undefined;
    let limit = pageSize;
    do {
      const query = { limit, ...(next ? { continue: next } : {}) };
      const bytes = await this.#page(query, signal);
      if (!bytes) {
        if (limit <= 4) throw tooLarge(`an object among ${type.plural} is too large to be kept`);
        limit = Math.ceil(limit / 8);
        continue;
      }
      const page = await calls.page(table, bytes, { generation, announce });
      if (page.bytes > maxBytes)
        throw tooLarge(`${type.plural} take more than the ${maxBytes} bytes that are kept of a type`);
      this.#columns = page.columns ?? this.#columns;
      this.#bytes = page.bytes;
      this.#tell(page.events);
      next = page.next;
      if (next === undefined) {
        this.#tell((await calls.finish(table, generation)).map(event => ({ ...event, version: page.version })));
        this.#version = page.version || this.#version;
        this.#reading = undefined;
        if (!announce) this.ring.reset(this.#version);
      } else if (!announce) {
        const { rows: read, remaining } = page;
        this.#reading = { read, ...(remaining === undefined ? {} : { of: read + remaining }) };
        run.begun.resolve();
      }
    } while (next !== undefined || this.#version === '');
  }

  /** The bytes of a page; undefined where they are more than may be read at once. */
  async #page(query: Record<string, string | number>, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { client, type } = this.#options;
    const late = anySignal(signal, AbortSignal.timeout(fillTimeoutMs));
    const { body } = await client.stream('GET', resourcePath(type.ref), {
      query: { ...query, includeObject: isSecret(type) ? 'Metadata' : 'Object' },
      headers: { accept: tableAccept },
      signal: late,
    });
    return readBytes(body, maxPageBytes);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, type, worker, table, maxBytes } = this.#options;
    const { calls } = worker;
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + Math.random()));
    const { body } = await client.stream('GET', resourcePath(type.ref), {
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: this.#version,
        timeoutSeconds,
        includeObject: isSecret(type) ? 'Metadata' : 'Object',
      },
      headers: { accept: tableAccept },
      signal: anySignal(signal, AbortSignal.timeout((timeoutSeconds + 30) * 1000)),
    });
    await calls.watchStart(table);
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const loaded = await calls.watch(table, chunk, this.#generation);
        this.#failed = undefined;
        this.#bytes = loaded.bytes;
        this.#tell(loaded.events);
        if (loaded.version) this.#version = loaded.version;
        if (loaded.error)
          throw parseStatus(
            loaded.error.code,
            JSON.stringify({
              kind: 'Status',
              ...loaded.error,
              reason: loaded.error.code === 410 ? 'Expired' : undefined,
            }),
          );
        if (loaded.bytes > maxBytes)
          throw tooLarge(`${type.plural} take more than the ${maxBytes} bytes that are kept of a type`);
      }
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }

  #tell(events: readonly RowEvent[]): void {
    for (const event of events) {
      this.ring.push(event);
      for (const listener of this.#listeners) listener.event(event);
    }
  }
}

interface Awaited {
  /** Some rows are there. */
  readonly begun: PromiseWithResolvers<void>;
  readonly filled: PromiseWithResolvers<void>;
}

interface Run extends Awaited {
  readonly stop: AbortController;
  /** Why the last tries to list it failed; whoever asks is told so at once until one succeeds. */
  failed?: StatusError | undefined;
}

function awaited(): Awaited {
  const begun = Promise.withResolvers<void>();
  const filled = Promise.withResolvers<void>();
  filled.promise.then(begun.resolve, begun.reject);
  begun.promise.catch(() => undefined);
  return { begun, filled };
}

/** Their bodies are kept nowhere outside of their cluster. */
export const isSecret = (type: Pick<SteveType, 'group' | 'resource'>) =>
  type.group === '' && type.resource === 'secrets';

/** What trying again does not change. */
function hasGivenUp(error: StatusError): boolean {
  return (
    error.status === 413 || error.status === 403 || error.status === 404 || error.status === 405 || error.status === 406
  );
}

/** The stream's bytes; undefined, with the stream ended, where they are more than `max`. */
export async function readBytes(body: Readable, max: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > max) {
      body.on('error', () => undefined).destroy();
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
