/**
 * The store of many machines: an etcd cluster, shared by all replicas. All keys lie under one prefix; one watch on that prefix
 * feeds every watcher of this process.
 */
import { alreadyExists, conflict, expired, hasReason, invalid, isNotFound, notFound, unavailable } from '@drover/base';
import { formatContinue, parseContinue } from '../continue-token.ts';
import { epochKey, formatEpoch, nextEpoch, parseEpoch } from '../epoch.ts';
import { HeldLease, leaseEnded } from '../held-lease.ts';
import { checkKey, checkRevision, checkTxn, type KeyRange, rangeOf } from '../keys.ts';
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
import { Feed, heartbeatKey } from './feed.ts';
import { grantLease, renewLease, revokeLease } from './lease.ts';
import { entryOf, type Header, type RangeResponse, type TxnResponse } from './messages.ts';
import type { EtcdOptions } from './open.ts';
import { EtcdRpc } from './rpc.ts';
import { watchStream } from './watch-stream.ts';

export class EtcdStore implements Store {
  readonly #rpc: EtcdRpc;
  readonly #prefix: string;
  readonly #skip: number;
  readonly #closing = new AbortController();
  #hub: WatchHub | undefined;
  #feed: Feed | undefined;
  #epoch = 0;
  /** The highest revision that any answer has shown. */
  #known: Revision = 0;

  constructor(options: EtcdOptions) {
    this.#prefix = options.prefix ?? '/drover/';
    checkKey(this.#prefix);
    this.#skip = Buffer.byteLength(this.#prefix);
    this.#rpc = new EtcdRpc(options);
  }

  async begin(): Promise<void> {
    try {
      await this.create(epochKey, formatEpoch(nextEpoch()));
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
    const epoch = await this.get(epochKey);
    this.#epoch = parseEpoch(epoch ?? { value: '{}' });
    this.#hub = new WatchHub(
      {
        history: (after, signal) => this.#history(after, signal),
        newest: () => this.#known,
        wantMark: () => this.#feed?.beat(),
      },
      this.#known,
    );
    this.#feed = new Feed({
      hub: this.#hub,
      open: (after, signal) => this.#stream(after, signal),
      beat: () => this.#put(heartbeatKey, String(this.#known)),
      revision: () => this.revision(),
      seen: batch => this.#onBatch(batch),
      signal: this.#closing.signal,
    });
  }

  get epoch(): number {
    return this.#epoch;
  }

  async get(key: string): Promise<Entry | undefined> {
    checkKey(key);
    const { kvs } = await this.#range({ key: this.#bytes(key) });
    return kvs[0] && entryOf(kvs[0], this.#skip);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const range = rangeOf(prefix);
    const { limit } = options;
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0))
      throw invalid('limit', `must be a whole number above 0, not ${limit}`);
    const token = options.continue ? parseContinue(options.continue, prefix, this.#epoch) : undefined;
    const entries: Entry[] = [];
    let revision = token?.revision ?? 0;
    let after = token?.after ?? '';
    let size = 500;
    for (;;) {
      const count = Math.min(size, (limit ?? Number.MAX_SAFE_INTEGER) - entries.length);
      const key = after === '' ? this.#bytes(range.start) : Buffer.concat([this.#bytes(after), Buffer.of(0)]);
      let page: RangeResponse;
      try {
        page = await this.#range({ key, range_end: this.#end(range), limit: count, revision });
      } catch (error) {
        // The answer was larger than this side takes: ask for fewer.
        if (!hasReason(error, 'ServiceUnavailable') || !/larger than max/.test(error.message) || size === 1)
          throw error;
        size = Math.max(1, size >> 2);
        continue;
      }
      revision ||= Number(page.header.revision);
      for (const kv of page.kvs) entries.push(entryOf(kv, this.#skip));
      const remaining = Number(page.count) - page.kvs.length;
      after = entries.at(-1)?.key ?? after;
      if (remaining <= 0) return { entries, revision, remaining: 0 };
      if (entries.length === limit)
        return { entries, revision, remaining, continue: formatContinue({ epoch: this.#epoch, revision, after }) };
    }
  }

  async create(key: string, value: string, options: { lease?: Lease } = {}): Promise<Entry> {
    const op: Op = { type: 'put', key, value, ...options };
    checkTxn([], [op]);
    const answer = await this.#txn([{ key, revision: 0 }], [this.#request(op)]);
    if (!answer.succeeded) throw alreadyExists('key', key);
    const revision = Number(answer.header.revision);
    return { key, value, revision, created: revision };
  }

  async update(key: string, value: string, revision: Revision): Promise<Entry> {
    const op: Op = { type: 'put', key, value };
    checkTxn([{ key, revision }], [op]);
    if (revision === 0) throw notFoundOrConflict(key, await this.get(key));
    const request = {
      request_put: { key: this.#bytes(key), value: Buffer.from(value), ignore_lease: true, prev_kv: true },
    };
    const answer = await this.#txn([{ key, revision }], [request]);
    if (!answer.succeeded) throw notFoundOrConflict(key, this.#seenByFailure(answer, 0));
    const created = Number(answer.responses[0]?.response_put?.prev_kv?.create_revision);
    return { key, value, revision: Number(answer.header.revision), created };
  }

  async delete(key: string, revision?: Revision): Promise<Entry> {
    checkTxn(revision === undefined ? [] : [{ key, revision }], [{ type: 'delete', key }]);
    if (revision === 0) throw notFoundOrConflict(key, await this.get(key));
    const request = { request_delete_range: { key: this.#bytes(key), prev_kv: true } };
    const answer = await this.#txn(revision === undefined ? [] : [{ key, revision }], [request]);
    if (!answer.succeeded) throw notFoundOrConflict(key, this.#seenByFailure(answer, 0));
    const kv = answer.responses[0]?.response_delete_range?.prev_kvs[0];
    if (!kv) throw notFound('key', key);
    return entryOf(kv, this.#skip);
  }

  async txn(compares: readonly Compare[], ops: readonly Op[]): Promise<Revision> {
    checkTxn(compares, ops);
    const answer = await this.#txn(
      compares,
      ops.map(op => this.#request(op)),
    );
    if (answer.succeeded) return Number(answer.header.revision);
    const failed = compares.find(({ revision }, at) => (this.#seenByFailure(answer, at)?.revision ?? 0) !== revision);
    throw conflict('key', (failed ?? compares[0]!).key);
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<StoreEvent> {
    rangeOf(prefix);
    if (options.after !== undefined) checkRevision('after', options.after);
    if (!this.#hub || this.#closing.signal.aborted) throw unavailable('the store was closed');
    return this.#hub.watch(prefix, options.after ?? Math.max(this.#known, this.#hub.last), options);
  }

  async lease(ttlMs: number): Promise<Lease> {
    if (!(ttlMs >= 100)) throw invalid('ttlMs', `must be at least 100, not ${ttlMs}`);
    const askedAt = performance.now();
    const { id, ttlMs: granted } = await grantLease(this.#rpc, ttlMs);
    const key = `~lease/${id}`;
    const request = { request_put: { key: this.#bytes(key), value: Buffer.from('{}'), lease: id } };
    const answer = await this.#txn([{ key, revision: 0 }], [request]);
    return new HeldLease({
      id,
      claim: { key, revision: Number(answer.header.revision) },
      ttlMs: granted,
      askedAt,
      closed: this.#closing.signal,
      renew: signal => renewLease(this.#rpc, id, signal),
      revoke: async () => {
        if (this.#closing.signal.aborted) return;
        try {
          await revokeLease(this.#rpc, id);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
    });
  }

  async revision(): Promise<Revision> {
    // Compares nothing, changes nothing; unlike a plain status it has gone through the cluster's agreement.
    const { header } = await this.#range({ key: this.#bytes(epochKey), count_only: true });
    return Number(header.revision);
  }

  async compact(revision: Revision): Promise<void> {
    checkRevision('revision', revision);
    const current = await this.revision();
    if (revision > current) throw invalid('revision', `must be at most ${current}, not ${revision}`);
    if (revision === 0) return;
    try {
      await this.#rpc.call('KV', 'Compact', { revision, physical: true });
    } catch (error) {
      // Already compacted further, by another replica.
      if (!hasReason(error, 'Expired')) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#hub?.close();
    await this.#feed?.ended();
    this.#rpc.close();
  }

  #onBatch(batch: Batch): void {
    this.#known = Math.max(this.#known, batch.revision);
    const event = batch.events.find(one => one.type === 'put' && one.entry.key === epochKey);
    if (event?.type !== 'put') return;
    const epoch = parseEpoch(event.entry);
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#hub?.reset(expired('the store began a new epoch; list again'), batch.revision - 1);
  }

  /** From a stream of its own, until the watcher has joined the shared feed; the heartbeat makes sure that there is an end. */
  async *#history(after: Revision, signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    if (after > Math.max(this.#known, await this.revision()))
      throw expired(`revision ${after} is not of this store; list again`);
    this.#feed?.beat();
    yield* this.#stream(after, signal);
  }

  #stream(after: Revision, signal: AbortSignal): AsyncIterable<Batch> {
    const all = { start: this.#bytes(''), end: this.#end({ start: '', end: undefined }), skip: this.#skip };
    return watchStream(this.#rpc, all, { after, signal });
  }

  async #range(request: object): Promise<RangeResponse> {
    return this.#noted(await this.#rpc.call<RangeResponse>('KV', 'Range', request));
  }

  async #txn(compares: readonly Compare[], success: readonly object[]): Promise<TxnResponse> {
    const request = {
      compare: compares.map(({ key, revision }) => ({
        result: 'EQUAL',
        target: 'MOD',
        key: this.#bytes(key),
        mod_revision: revision,
      })),
      success,
      failure: compares.map(({ key }) => ({ request_range: { key: this.#bytes(key) } })),
    };
    try {
      return this.#noted(await this.#rpc.call<TxnResponse>('KV', 'Txn', request, { write: true }));
    } catch (error) {
      if (isNotFound(error) && error.message.includes('lease')) throw leaseEnded('of the put');
      throw error;
    }
  }

  #put(key: string, value: string): Promise<TxnResponse> {
    return this.#txn([], [{ request_put: { key: this.#bytes(key), value: Buffer.from(value) } }]);
  }

  #request(op: Op): object {
    const key = this.#bytes(op.key);
    if (op.type === 'delete') return { request_delete_range: { key } };
    return { request_put: { key, value: Buffer.from(op.value), ...(op.lease ? { lease: op.lease.id } : {}) } };
  }

  #seenByFailure(answer: TxnResponse, at: number): Entry | undefined {
    const kv = answer.responses[at]?.response_range?.kvs[0];
    return kv && entryOf(kv, this.#skip);
  }

  #noted<T extends { readonly header: Header }>(answer: T): T {
    this.#known = Math.max(this.#known, Number(answer.header.revision));
    return answer;
  }

  #bytes(key: string): Buffer {
    return Buffer.from(this.#prefix + key);
  }

  #end(range: KeyRange): Buffer {
    return Buffer.from(range.end === undefined ? (rangeOf(this.#prefix).end ?? '\0') : this.#prefix + range.end);
  }
}

function notFoundOrConflict(key: string, entry: Entry | undefined): Error {
  return entry ? conflict('key', key) : notFound('key', key);
}
