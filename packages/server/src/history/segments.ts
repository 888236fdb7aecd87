/**
 * What a cluster's past is kept in: segments of it in the store, packed, with an index beside them. Bounded in days, entries and bytes:
 * what comes to be too much is first thinned, so that warnings and changes outlive what was normal, then forgotten from its oldest end.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Compare, Op, Store } from '@drover/store';
import type { HistoryEntry } from './entry.ts';

export interface Segment {
  /** When it was begun, in ms; names it. */
  readonly from: number;
  readonly to: number;
  readonly entries: number;
  readonly bytes: number;
  readonly thinned?: true;
}

export interface HistoryBounds {
  readonly ms: number;
  readonly entries: number;
  readonly bytes: number;
  readonly perSegment: number;
}

export const historyBounds: HistoryBounds = {
  ms: 30 * 86_400_000,
  entries: 20_000,
  bytes: 512 * 1024,
  perSegment: 250,
};

const prefix = '/history/';
const pack = promisify(gzip);
const unpack = promisify(gunzip);
const mostUnpacked = 8 << 20;

const indexKey = (clusterId: string): string => `${prefix}${clusterId}/index`;
const segmentKey = (clusterId: string, from: number): string =>
  `${prefix}${clusterId}/s/${String(from).padStart(15, '0')}`;

/** The oldest first. */
export async function readIndex(store: Store, clusterId: string): Promise<readonly Segment[]> {
  const entry = await store.get(indexKey(clusterId));
  return entry ? (JSON.parse(entry.value) as Segment[]) : [];
}

export async function readSegment(store: Store, clusterId: string, from: number): Promise<readonly HistoryEntry[]> {
  const entry = await store.get(segmentKey(clusterId, from));
  if (!entry) return [];
  const bytes = await unpack(Buffer.from(entry.value, 'base64'), { maxOutputLength: mostUnpacked });
  return JSON.parse(bytes.toString('utf8')) as HistoryEntry[];
}

/** Forgets all of a cluster that is gone. */
export async function forgetHistory(store: Store, clusterId: string): Promise<void> {
  for (;;) {
    const page = await store.list(`${prefix}${clusterId}/`, { limit: 100 });
    if (page.entries.length === 0) return;
    await store.txn(
      [],
      page.entries.map(({ key }): Op => ({ type: 'delete', key })),
    );
  }
}

/** The part of it that one replica writes, while it owns the cluster. */
export class HistoryWriter {
  readonly #store: Store;
  readonly #clusterId: string;
  readonly #claim: () => readonly Compare[];
  readonly #bounds: HistoryBounds;
  #index: Segment[];
  #open: Map<string, HistoryEntry>;

  private constructor(
    store: Store,
    clusterId: string,
    rest: { claim: () => readonly Compare[]; bounds: HistoryBounds; index: Segment[]; open: readonly HistoryEntry[] },
  ) {
    this.#store = store;
    this.#clusterId = clusterId;
    this.#claim = rest.claim;
    this.#bounds = rest.bounds;
    this.#index = rest.index;
    this.#open = new Map(rest.open.map(entry => [entry.id, entry]));
  }

  static async open(
    store: Store,
    clusterId: string,
    { claim, bounds = historyBounds }: { readonly claim: () => readonly Compare[]; readonly bounds?: HistoryBounds },
  ): Promise<HistoryWriter> {
    const index = [...(await readIndex(store, clusterId))];
    const last = index.at(-1);
    const open = last ? await readSegment(store, clusterId, last.from) : [];
    return new HistoryWriter(store, clusterId, { claim, bounds, index, open });
  }

  /** What is in the last segment already, so that what a cluster tells again after a break is not kept twice. */
  has({ id, at, count }: HistoryEntry): boolean {
    const kept = this.#open.get(id);
    return kept !== undefined && kept.at >= at && (kept.count ?? 1) >= (count ?? 1);
  }

  /** When the last entry was kept; 0 where there is none. */
  get lastMs(): number {
    return this.#index.at(-1)?.to ?? 0;
  }

  /** Adds them in one transaction, which holds only while this replica owns the cluster. Throws with nothing changed. */
  async add(entries: readonly HistoryEntry[], now: number): Promise<void> {
    if (entries.length === 0) return;
    const last = this.#index.at(-1);
    const isFull = last === undefined || this.#open.size >= this.#bounds.perSegment;
    const open = new Map(isFull ? [] : this.#open);
    for (const entry of entries) open.set(entry.id, entry);
    const from = isFull ? Math.max(now, (last?.from ?? 0) + 1) : last.from;
    const { segment, op } = await this.#packed(from, [...open.values()], false);
    const { index, ops } = await this.#bounded([...(isFull ? this.#index : this.#index.slice(0, -1)), segment], now);
    const put: Op = { type: 'put', key: indexKey(this.#clusterId), value: JSON.stringify(index) };
    await this.#store.txn(this.#claim(), [op, ...ops, put]);
    this.#index = index;
    this.#open = open;
  }

  async #packed(from: number, entries: readonly HistoryEntry[], thinned: boolean) {
    const bytes = await pack(Buffer.from(JSON.stringify(entries)));
    const value = bytes.toString('base64');
    const to = Math.max(...entries.map(({ at }) => Date.parse(at)), from);
    const segment: Segment = {
      from,
      to,
      entries: entries.length,
      bytes: value.length,
      ...(thinned ? { thinned: true as const } : {}),
    };
    const op: Op = { type: 'put', key: segmentKey(this.#clusterId, from), value };
    return { segment, op };
  }

  /** A few steps at once: the next addition goes on. */
  async #bounded(index: Segment[], now: number): Promise<{ readonly index: Segment[]; readonly ops: Op[] }> {
    const { ms, entries: mostEntries, bytes: mostBytes } = this.#bounds;
    const ops: Op[] = [];
    const kept = [...index];
    const isOver = () =>
      kept.reduce((sum, each) => sum + each.bytes, 0) > mostBytes ||
      kept.reduce((sum, each) => sum + each.entries, 0) > mostEntries;
    const drop = () => ops.push({ type: 'delete', key: segmentKey(this.#clusterId, kept.shift()!.from) });
    while (kept.length > 1 && kept[0]!.to < now - ms && ops.length < mostSteps) drop();
    for (let at = 0; at < kept.length - 1 && isOver() && ops.length < mostSteps; at++) {
      const seen = kept[at]!;
      if (seen.thinned) continue;
      const all = await readSegment(this.#store, this.#clusterId, seen.from);
      const telling = all.filter(({ type, warning }) => type !== 'event' || warning);
      const { segment, op } = await this.#packed(seen.from, telling, true);
      kept[at] = segment;
      ops.push(op);
    }
    while (kept.length > 1 && isOver() && ops.length < mostSteps) {
      const { from } = kept[0]!;
      const key = segmentKey(this.#clusterId, from);
      const thinnedJustNow = ops.findIndex(op => op.key === key);
      if (thinnedJustNow >= 0) ops.splice(thinnedJustNow, 1);
      drop();
    }
    return { index: kept, ops };
  }
}

const mostSteps = 60;
