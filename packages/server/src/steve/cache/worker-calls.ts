/** What the worker of the cache can be asked, and what it answers: the one list of it for both ends. */
import { setImmediate } from 'node:timers/promises';
import { unavailable } from '@drover/base';
import type { Column } from './ages.ts';
import type { Found, IndexDb, StateCount } from './index-db.ts';
import { makeRow, type RowType, type Seen } from './row.ts';
import type { Query } from './sql.ts';
import { readTable, WatchLines } from './table-bytes.ts';

/** A change of a row, as subscribers are told of it. */
export interface RowEvent {
  readonly type: 'create' | 'change' | 'remove';
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** Its JSON behind id, type and links; empty where only the id is known. */
  readonly text: string;
}

export interface Loaded {
  readonly events: readonly RowEvent[];
  /** The revision that the rows are at after this; empty where nothing said so. */
  readonly version: string;
  readonly next?: string;
  readonly remaining?: number;
  readonly columns?: readonly Column[];
  readonly bytes: number;
  readonly rows: number;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface WorkerCalls {
  open(table: string, type: RowType): void;
  drop(table: string): void;
  /** A page of a list; `announce` asks for the events that it makes. */
  page(table: string, bytes: Uint8Array, options: { readonly generation: number; readonly announce: boolean }): Loaded;
  /** Takes out what the list of that generation did not bring. */
  finish(table: string, generation: number): readonly RowEvent[];
  /** Objects that are at hand already, in place of those of the same id. */
  put(table: string, seen: readonly Seen[], generation: number): Loaded;
  remove(table: string, id: string, version: string): readonly RowEvent[];
  /** A watch begins: a line left from the one before is forgotten. */
  watchStart(table: string): void;
  watch(table: string, bytes: Uint8Array, generation: number): Loaded;
  /** Others are answered while fields get their columns for it. */
  query(table: string, query: Query, options: { readonly managed: boolean }): Promise<Found>;
  find(table: string, id: string): string | undefined;
  counts(table: string, query: Pick<Query, 'reach'>): StateCount[];
}

/** After this nobody waits any more. */
const queryMs = 60_000;

export function workerCalls(db: IndexDb, now: () => number = Date.now): WorkerCalls {
  const lines = new Map<string, WatchLines>();

  const load = (
    table: string,
    seen: readonly Seen[],
    options: { generation: number; announce: boolean },
  ): RowEvent[] => {
    const type = db.typeOf(table);
    const rows = seen.map(one => makeRow(one, type, now()));
    const outcomes = db.put(table, rows, options.generation);
    if (!options.announce) return [];
    return rows.flatMap((row, index): RowEvent[] => {
      const outcome = outcomes[index];
      if (outcome === 'same') return [];
      const text = db.find(table, row.id, { managed: true, now: now() }) ?? '';
      const { id, namespace, name, version } = row;
      return [{ type: outcome === 'added' ? 'create' : 'change', id, namespace, name, version, text }];
    });
  };
  const gone = (id: string, version: string, text = ''): RowEvent => {
    const slash = id.indexOf('/');
    return {
      type: 'remove',
      id,
      namespace: slash < 0 ? '' : id.slice(0, slash),
      name: id.slice(slash + 1),
      version,
      text,
    };
  };
  const removed = (table: string, id: string, version: string): RowEvent[] => {
    const text = db.find(table, id, { managed: false, now: now() });
    return db.remove(table, id) ? [gone(id, version, text)] : [];
  };

  return {
    open: (table, type) => db.open(table, type),
    drop(table) {
      lines.delete(table);
      db.drop(table);
    },
    page(table, bytes, options) {
      const listed = readTable(bytes);
      if (listed.columns) db.setColumns(table, listed.columns);
      const events = load(table, listed.rows, options);
      const { rows: _, ...page } = listed;
      return { events, ...page, ...db.sizeOf(table) };
    },
    finish: (table, generation) => db.removeOthers(table, generation).map(id => gone(id, '')),
    put: (table, seen, generation) => ({
      events: load(table, seen, { generation, announce: true }),
      version: '',
      ...db.sizeOf(table),
    }),
    remove: removed,
    watchStart: table => void lines.set(table, new WatchLines()),
    watch(table, bytes, generation) {
      const events: RowEvent[] = [];
      let version = '';
      let error: Loaded['error'];
      const options = { generation, announce: true };
      for (const event of lines.get(table)!.push(bytes)) {
        if (event.type === 'ERROR') {
          error = { code: event.status?.code ?? 500, message: event.status?.message ?? 'the watch failed' };
          break;
        }
        const { rows } = event.listed;
        const [first] = rows;
        version = first?.object.metadata.resourceVersion || event.listed.version || version;
        if (event.type === 'BOOKMARK') continue;
        if (event.type !== 'DELETED') events.push(...load(table, rows, options));
        else if (first) {
          const { namespace, name } = first.object.metadata;
          events.push(...removed(table, namespace ? `${namespace}/${name}` : name, version));
        }
      }
      return { events, version, ...(error ? { error } : {}), ...db.sizeOf(table) };
    },
    async query(table, query, options) {
      const end = performance.now() + queryMs;
      for (;;) {
        const found = db.query(table, query, { ...options, now: now() });
        if (found) return found;
        if (performance.now() > end)
          throw unavailable('fields of this list are still being made ready', { retryAfterSeconds: 5 });
        db.fillSome(table);
        await setImmediate();
      }
    },
    find: (table, id) => db.find(table, id, { managed: true, now: now() }),
    counts: (table, query) => db.counts(table, query),
  };
}
