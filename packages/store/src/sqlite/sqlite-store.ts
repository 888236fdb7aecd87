/**
 * The store of one machine: one SQLite file, owned by one process. A write is judged, committed and synced before it is
 * answered, and a read never shows what is not yet on disk.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { alreadyExists, conflict, expired, invalid, notFound, unavailable } from '@drover/base';
import { formatContinue, parseContinue } from '../continue-token.ts';
import { epochKey, formatEpoch, nextEpoch, parseEpoch } from '../epoch.ts';
import { HeldLease } from '../held-lease.ts';
import { checkKey, checkRevision, checkTxn, type KeyRange, maxTxnOps, rangeOf } from '../keys.ts';
import type {
  Compare,
  Entry,
  Lease,
  ListOptions,
  Op,
  Page,
  Revision,
  Store,
  StoreEvent,
  WatchOptions,
} from '../store.ts';
import { type Batch, WatchHub } from '../watch-hub.ts';
import { sqliteError } from './errors.ts';
import { LeaseTable } from './leases.ts';
import { lockStore } from './lock.ts';
import { VersionLog } from './log.ts';
import { openDatabase } from './schema.ts';
import { GroupWriter } from './writer.ts';

export interface SqliteOptions {
  /** The file; `:memory:` for a store that goes with the process. */
  readonly path: string;
}

/**
 * Opens the store, making it (and its folder) where it is not there yet. Throws ServiceUnavailable when another process has it
 * open, Invalid that names the file when it is damaged or of a newer version.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { path } = options;
  if (path !== ':memory:') {
    try {
      makeFolder(dirname(path));
    } catch (error) {
      throw invalid(path, `its folder can not be made: ${(error as Error).message}`);
    }
  }
  const lock = lockStore(path);
  try {
    const store = new SqliteStore(path, openDatabase(path), lock);
    await store.begin();
    return store;
  } catch (error) {
    lock[Symbol.dispose]();
    throw sqliteError(error, path);
  }
}

class SqliteStore implements Store {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #lock: Disposable;
  readonly #log: VersionLog;
  readonly #writer: GroupWriter;
  readonly #hub: WatchHub;
  readonly #leases = new LeaseTable();
  #leaseTimer: NodeJS.Timeout | undefined;
  #epoch = 0;
  #compacted: Revision;
  /** Of the open transaction, of the last commit, and of the last commit known to be on disk. */
  #written: Revision;
  #committed: Revision;
  #durable: Revision;
  #batches: Batch[] = [];
  #committedBatches: Batch[] = [];
  #readers: { revision: Revision; resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #closing = new AbortController();

  constructor(path: string, db: DatabaseSync, lock: Disposable) {
    this.#path = path;
    this.#db = db;
    this.#lock = lock;
    this.#log = new VersionLog(db);
    this.#compacted = this.#log.meta('compacted');
    this.#written = this.#committed = this.#durable = this.#log.lastRevision();
    this.#hub = new WatchHub(
      {
        history: (after, signal) => this.#history(after, signal),
        newest: () => this.#durable,
        wantMark: () => this.#hub.mark(this.#hub.last),
      },
      this.#durable,
    );
    this.#writer = new GroupWriter(db, path, {
      committed: () => this.#onCommitted(),
      rolledBack: () => this.#onRolledBack(),
      durable: () => this.#onDurable(),
      failed: error => {
        for (const reader of this.#readers.splice(0)) reader.reject(error);
      },
    });
  }

  /** Settles what the process before left: its leases ended with it. Makes the epoch of a new store. */
  async begin(): Promise<void> {
    const stale = this.#log.leasedKeys();
    await this.#write(() => this.#deleteAll(stale));
    const known = this.#log.get(epochKey);
    if (known) this.#epoch = parseEpoch(known);
    else await this.txn([], [{ type: 'put', key: epochKey, value: formatEpoch(nextEpoch()) }]);
  }

  get epoch(): number {
    return this.#epoch;
  }

  async get(key: string): Promise<Entry | undefined> {
    checkKey(key);
    return this.#durably(this.#read(() => this.#log.get(key)));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const range = rangeOf(prefix);
    const { limit } = options;
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0))
      throw invalid('limit', `must be a whole number above 0, not ${limit}`);
    const token = options.continue ? parseContinue(options.continue, prefix, this.#epoch) : undefined;
    const revision = token?.revision ?? this.#committed;
    if (revision > this.#committed)
      throw expired(`revision ${revision} is not of this store; list again from the start`);
    const entries = await this.#entries(range, token?.after ?? '', { revision, limit });
    const last = entries.at(-1);
    const more = limit !== undefined && entries.length === limit && last;
    // Counted once: what a revision holds stays, and to count the rest at each page would be the square of it.
    const count = () => this.#read(() => this.#log.count(range, last!.key, revision));
    const remaining = more ? Math.max(0, token?.remaining === undefined ? count() : token.remaining - limit) : 0;
    const after =
      more && remaining > 0 ? formatContinue({ epoch: this.#epoch, revision, after: last.key, remaining }) : undefined;
    return this.#durably({ entries, revision, remaining, ...(after ? { continue: after } : {}) });
  }

  async create(key: string, value: string, options: { lease?: Lease } = {}): Promise<Entry> {
    const op: Op = { type: 'put', key, value, ...options };
    checkTxn([], [op]);
    return this.#write(() => {
      if (this.#log.get(key)) throw alreadyExists('key', key);
      return entryOf(this.#append([op]));
    });
  }

  async update(key: string, value: string, revision: Revision): Promise<Entry> {
    const op: Op = { type: 'put', key, value };
    checkTxn([{ key, revision }], [op]);
    return this.#write(() => {
      this.#match(key, revision);
      return entryOf(this.#append([op], true));
    });
  }

  async delete(key: string, revision?: Revision): Promise<Entry> {
    checkTxn(revision === undefined ? [] : [{ key, revision }], [{ type: 'delete', key }]);
    return this.#write(() => {
      const entry = this.#match(key, revision);
      this.#append([{ type: 'delete', key }]);
      return entry;
    });
  }

  async txn(compares: readonly Compare[], ops: readonly Op[]): Promise<Revision> {
    checkTxn(compares, ops);
    return this.#write(() => {
      for (const { key, revision } of compares)
        if ((this.#log.get(key)?.revision ?? 0) !== revision) throw conflict('key', key);
      return this.#append(ops)?.revision ?? this.#written;
    });
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<StoreEvent> {
    rangeOf(prefix);
    if (options.after !== undefined) checkRevision('after', options.after);
    if (this.#closing.signal.aborted) throw unavailable('the store was closed');
    return this.#hub.watch(prefix, options.after ?? this.#durable, options);
  }

  async lease(ttlMs: number): Promise<Lease> {
    if (!(ttlMs >= 100)) throw invalid('ttlMs', `must be at least 100, not ${ttlMs}`);
    const askedAt = performance.now();
    const id = this.#leases.grant(ttlMs);
    const key = `~lease/${id}`;
    const { revision } = await this.#write(() => {
      this.#leases.check(id);
      return entryOf(this.#append([{ type: 'put', key, value: '{}', lease: { id } as Lease }]));
    });
    this.#armLeaseTimer();
    return new HeldLease({
      id,
      claim: { key, revision },
      ttlMs,
      askedAt,
      closed: this.#closing.signal,
      renew: async () => this.#leases.renew(id),
      revoke: async () => {
        this.#leases.revoke(id);
        if (!this.#closing.signal.aborted) await this.#write(() => undefined);
      },
    });
  }

  async revision(): Promise<Revision> {
    this.#read(() => undefined);
    return this.#durably(this.#committed);
  }

  async compact(revision: Revision): Promise<void> {
    checkRevision('revision', revision);
    if (revision > this.#committed) throw invalid('revision', `must be at most ${this.#committed}, not ${revision}`);
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    await this.#write(() => {
      this.#log.setMeta('compacted', revision);
      this.#log.setMeta('revision', this.#committed);
    });
    let from: string | undefined = '';
    while (from !== undefined) {
      const at: string = from;
      from = await this.#write(() => this.#log.forget(revision, at, 200));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#leaseTimer);
    this.#hub.close();
    await this.#writer.close();
    this.#db.close();
    this.#lock[Symbol.dispose]();
  }

  #write<T>(run: () => T): Promise<T> {
    return this.#writer.write(() => {
      for (const lease of this.#leases.takeEnded()) this.#deleteAll(this.#log.leasedKeys(lease));
      return run();
    });
  }

  /** However many keys a lease held: one revision has room for as many as a transaction may have. */
  #deleteAll(keys: readonly string[]): void {
    for (let from = 0; from < keys.length; from += maxTxnOps)
      this.#append(keys.slice(from, from + maxTxnOps).map((key): Op => ({ type: 'delete', key })));
  }

  #append(ops: readonly Op[], keepLease = false): Batch | undefined {
    for (const op of ops) if (op.type === 'put' && op.lease) this.#leases.check(op.lease.id);
    const batch = this.#log.append(this.#written + 1, ops, keepLease);
    if (!batch) return undefined;
    this.#written = batch.revision;
    this.#batches.push(batch);
    return batch;
  }

  #match(key: string, revision: Revision | undefined): Entry {
    const entry = this.#log.get(key);
    if (!entry) throw notFound('key', key);
    if (revision !== undefined && entry.revision !== revision) throw conflict('key', key);
    return entry;
  }

  #onCommitted(): void {
    this.#committed = this.#written;
    this.#committedBatches.push(...this.#batches.splice(0));
    this.#leases.committed();
  }

  #onRolledBack(): void {
    this.#written = this.#committed;
    this.#batches = [];
    this.#leases.rolledBack();
  }

  #onDurable(): void {
    this.#durable = this.#committed;
    for (const batch of this.#committedBatches.splice(0)) this.#publish(batch);
    const waiting = this.#readers.splice(0);
    for (const reader of waiting) {
      if (reader.revision <= this.#durable) reader.resolve();
      else this.#readers.push(reader);
    }
  }

  #publish(batch: Batch): void {
    const epoch = batch.events.find(event => event.type === 'put' && event.entry.key === epochKey);
    this.#hub.publish(batch);
    if (epoch?.type !== 'put') return;
    const before = this.#epoch;
    this.#epoch = parseEpoch(epoch.entry);
    if (before !== 0) this.#hub.reset(expired('the store began a new epoch; list again'), batch.revision);
  }

  async #entries(range: KeyRange, after: string, want: { revision: Revision; limit: number | undefined }) {
    const { revision, limit = Number.MAX_SAFE_INTEGER } = want;
    const entries: Entry[] = [];
    let size = 200;
    for (let from = after; ; await nextTurn()) {
      if (revision < this.#compacted)
        throw expired(`revision ${revision} has been compacted; list again from the start`);
      const began = performance.now();
      const count = Math.min(size, limit - entries.length);
      const page = this.#read(() => this.#log.page(range, from, { revision, limit: count }));
      for (const entry of page) entries.push(entry);
      if (page.length < count || entries.length === limit) return entries;
      from = page[page.length - 1]!.key;
      // Other work gets its turn every few milliseconds, whether the values are small or large.
      const tookMs = performance.now() - began;
      if (tookMs < 2) size = Math.min(size * 2, 2000);
      else if (tookMs > 6) size = Math.max(size >> 1, 10);
    }
  }

  async *#history(after: Revision, signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    if (after > this.#durable) throw expired(`revision ${after} is not of this store; list again`);
    for (let seen = after; !signal.aborted; await nextTurn()) {
      if (seen < this.#compacted) throw expired(`revision ${seen} has been compacted; list again`);
      const batches = this.#read(() => this.#log.replay(seen, this.#durable, 200));
      if (batches.length === 0) {
        yield { revision: this.#durable, events: [] };
        return;
      }
      for (const batch of batches) yield batch;
      seen = batches[batches.length - 1]!.revision;
    }
  }

  #read<T>(run: () => T): T {
    if (this.#closing.signal.aborted) throw unavailable('the store was closed');
    try {
      return run();
    } catch (error) {
      throw sqliteError(error, this.#path);
    }
  }

  /** Gives the value once all that was committed when it was read is on disk. */
  #durably<T>(value: T): T | Promise<T> {
    const revision = this.#committed;
    if (revision <= this.#durable) return value;
    return new Promise((resolve, reject) => {
      this.#readers.push({ revision, resolve: () => resolve(value), reject });
    });
  }

  /** So that keys go when their lease ends even if nobody writes. */
  #armLeaseTimer(): void {
    clearTimeout(this.#leaseTimer);
    const inMs = this.#leases.nextEndMs();
    if (inMs === undefined || this.#closing.signal.aborted) return;
    this.#leaseTimer = setTimeout(() => {
      void this.#write(() => undefined).then(
        () => this.#armLeaseTimer(),
        () => this.#armLeaseTimer(),
      );
    }, inMs + 5).unref();
  }
}

/** Node's own recursive mkdir never returns below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function entryOf(batch: Batch | undefined): Entry {
  const event = batch?.events[0];
  if (event?.type !== 'put') throw new Error('a put always makes an event');
  return event.entry;
}
