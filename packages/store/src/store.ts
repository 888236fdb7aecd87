/**
 * Store: ordered keys with revisions, compare-and-set, transactions over several keys, watch from a revision, leases.
 * All that the server keeps is here. A write that was answered is durable; an event is never lost, doubled or reordered.
 * A write that throws ServiceUnavailable or Timeout may have happened or not: read again. Every other refusal means it did not.
 */

/** Grows with every committed write of the store; all keys of one transaction share one. Comparable within one epoch only. */
export type Revision = number;

export interface Entry {
  readonly key: string;
  /** JSON text; the store does not look into it. */
  readonly value: string;
  /** The revision of the last write to this key. */
  readonly revision: Revision;
  /** The revision of the write that created it. */
  readonly created: Revision;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** The revision that the whole list, over all its pages, is a picture of; watch from here and nothing is missed. */
  readonly revision: Revision;
  /** Hand it to the next `list` to go on at the same revision; absent on the last page. */
  readonly continue?: string;
  /** How many entries come after this page. */
  readonly remaining: number;
}

export interface ListOptions {
  /** At most so many entries; all when absent. */
  readonly limit?: number;
  /** From an earlier page; throws Expired once its revision has been compacted away or the epoch has changed. */
  readonly continue?: string;
}

/** `revision` 0: the key must not exist; otherwise its last write must be exactly that one. */
export interface Compare {
  readonly key: string;
  readonly revision: Revision;
}

export type Op =
  | { readonly type: 'put'; readonly key: string; readonly value: string; readonly lease?: Lease }
  | { readonly type: 'delete'; readonly key: string };

/** `previous` is absent exactly when the put created its key. */
export type StoreEvent =
  | { readonly type: 'put'; readonly entry: Entry; readonly previous?: Entry; readonly revision: Revision }
  | { readonly type: 'delete'; readonly key: string; readonly previous: Entry; readonly revision: Revision }
  /** All events up to and including this revision have been given; a watch begun from it misses nothing. */
  | { readonly type: 'bookmark'; readonly revision: Revision };

export interface WatchOptions {
  /** Events after this revision; absent: from now. Throws Expired when they are no longer all kept. */
  readonly after?: Revision;
  /** Send a bookmark at least this often while nothing happens, in ms (default 30,000), and one first of all. */
  readonly bookmarkEveryMs?: number;
  readonly signal: AbortSignal;
}

/** A claim that lives while its holder renews it. Keys put with it go when it ends. Renewed by itself until disposed. */
export interface Lease extends AsyncDisposable {
  readonly id: string;
  /** Holds in a `txn` only while the store itself still keeps the lease: put it among the compares of what the holder writes. */
  readonly claim: Compare;
  /** Aborts when the lease can no longer be trusted, judged by the holder's own monotonic clock before the store's end of it. */
  readonly lost: AbortSignal;
}

export interface Store extends AsyncDisposable {
  /** Changes when revisions start anew (restore, move between drivers); a whole number that only grows. */
  readonly epoch: number;
  get(key: string): Promise<Entry | undefined>;
  /** The entries whose keys begin with `prefix`, in byte order of their keys. */
  list(prefix: string, options?: ListOptions): Promise<Page>;
  /** Throws AlreadyExists. */
  create(key: string, value: string, options?: { lease?: Lease }): Promise<Entry>;
  /** Throws NotFound, or Conflict when the last write is not `revision`. A key put with a lease keeps it. */
  update(key: string, value: string, revision: Revision): Promise<Entry>;
  /** Throws NotFound, or Conflict when `revision` is given and is not the last write. Answers what was deleted. */
  delete(key: string, revision?: Revision): Promise<Entry>;
  /**
   * All or nothing; throws Conflict that names the first compare that failed. Each key at most once among the ops, at most
   * 128 compares and 128 ops. Deleting what is not there does nothing; a transaction that changes nothing has no revision of its own.
   */
  txn(compares: readonly Compare[], ops: readonly Op[]): Promise<Revision>;
  /**
   * In order of revision, the events of one transaction without a bookmark between them. A slow reader is served from history and
   * never slows a writer; it is ended with Expired once compaction has passed it. Ends when the signal aborts.
   */
  watch(prefix: string, options: WatchOptions): AsyncIterable<StoreEvent>;
  /** A lease of `ttlMs`, kept alive until it is disposed or lost. */
  lease(ttlMs: number): Promise<Lease>;
  /** The last committed revision. */
  revision(): Promise<Revision>;
  /** Forgets what was overwritten or deleted at or before the revision; later reads from there throw Expired. */
  compact(revision: Revision): Promise<void>;
}
