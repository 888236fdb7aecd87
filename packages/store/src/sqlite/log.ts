/**
 * The table of versions: reads at a revision, replays, appends, forgets. Knows SQL and nothing of durability, watchers or
 * leases' clocks; every call is synchronous and short, long reads come in pages.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KeyRange } from '../keys.ts';
import type { Entry, Op, Revision, StoreEvent } from '../store.ts';
import type { Batch } from '../watch-hub.ts';

const places = 128;
const firstOf = (revision: Revision): number => revision * places;
const revisionOf = (id: number): Revision => Math.floor(id / places);
/** Above every text that can be a key: U+10FFFF sorts last in UTF-8 and keys begin with ASCII. */
const noEnd = '\u{10ffff}';

export type Row = { id: number; key: string; value: string; created: number; lease: string | null };

export class VersionLog {
  readonly #db: DatabaseSync;
  readonly #current: StatementSync;
  readonly #page: StatementSync;
  readonly #count: StatementSync;
  readonly #replay: StatementSync;
  readonly #insert: StatementSync;
  readonly #leased: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #getMeta: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#current = db.prepare(
      'SELECT id, key, value, created, lease, deleted FROM log WHERE key = ? ORDER BY id DESC LIMIT 1',
    );
    // HAVING and LIMIT inside, so that SQLite stops after a page instead of grouping all that follows.
    const live =
      'SELECT max(id) AS id, deleted FROM log WHERE key >= ? AND key < ? AND id < ? GROUP BY key HAVING NOT deleted';
    this.#page = db.prepare(
      `SELECT v.id, v.key, v.value, v.created FROM (${live} ORDER BY key LIMIT ?) k CROSS JOIN log v ON v.id = k.id`,
    );
    this.#count = db.prepare(`SELECT count(*) AS n FROM (${live})`);
    this.#replay = db.prepare(
      `SELECT v.id, v.key, v.value, v.created, v.deleted, p.id AS pid, p.value AS pvalue, p.created AS pcreated
       FROM log v LEFT JOIN log p ON p.id = v.previous WHERE v.id >= ? AND v.id < ? ORDER BY v.id LIMIT ?`,
    );
    this.#insert = db.prepare(
      'INSERT INTO log (id, key, deleted, created, previous, lease, value) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#leased = db.prepare(
      `SELECT l.key FROM log l INDEXED BY log_lease WHERE l.lease IS NOT NULL AND (? IS NULL OR l.lease = ?)
       AND l.id = (SELECT max(id) FROM log WHERE key = l.key) ORDER BY l.key`,
    );
    this.#setMeta = db.prepare('UPDATE meta SET value = ? WHERE name = ?');
    this.#getMeta = db.prepare('SELECT value FROM meta WHERE name = ?');
  }

  meta(name: 'revision' | 'compacted'): number {
    return Number(this.#getMeta.get(name)?.['value'] ?? 0);
  }

  /** The last committed revision, after compaction has perhaps taken the row that bore it. */
  lastRevision(): Revision {
    const row = this.#db.prepare('SELECT max(id) AS id FROM log').get() as { id: number | null };
    return Math.max(this.meta('revision'), row.id === null ? 0 : revisionOf(row.id));
  }

  get(key: string): Entry | undefined {
    const row = this.#find(key);
    return row && entryOf(row);
  }

  /** At most `limit` entries whose keys are in the range and after `after`, as they were at the revision. */
  page(range: KeyRange, after: string, at: { revision: Revision; limit: number }): Entry[] {
    const rows = this.#page.all(startOf(range, after), range.end ?? noEnd, firstOf(at.revision + 1), at.limit);
    return (rows as unknown as Row[]).map(entryOf);
  }

  count(range: KeyRange, after: string, revision: Revision): number {
    return Number(this.#count.get(startOf(range, after), range.end ?? noEnd, firstOf(revision + 1))?.['n']);
  }

  /** Whole transactions after `after` up to `upTo`, about `limit` events of them. */
  replay(after: Revision, upTo: Revision, limit: number): Batch[] {
    let rows = this.#replay.all(firstOf(after + 1), firstOf(upTo + 1), limit) as unknown as ReplayRow[];
    if (rows.length === limit) {
      const cut = revisionOf(rows[rows.length - 1]!.id);
      const rest = this.#replay.all(rows[rows.length - 1]!.id + 1, firstOf(cut + 1), places) as unknown as ReplayRow[];
      rows = rows.concat(rest);
    }
    const batches: { revision: Revision; events: StoreEvent[] }[] = [];
    for (const row of rows) {
      const revision = revisionOf(row.id);
      const last = batches.at(-1);
      if (last?.revision === revision) last.events.push(eventOf(row));
      else batches.push({ revision, events: [eventOf(row)] });
    }
    return batches;
  }

  /** Writes the ops as one revision, inside the caller's transaction; undefined when they change nothing. */
  append(revision: Revision, ops: readonly Op[], keepLease = false): Batch | undefined {
    const events: StoreEvent[] = [];
    for (const op of ops) {
      const before = this.#find(op.key);
      if (op.type === 'delete' && !before) continue;
      const id = firstOf(revision) + events.length;
      const previous = before && entryOf(before);
      if (op.type === 'delete') {
        this.#insert.run(id, op.key, 1, 0, before!.id, null, '');
        events.push({ type: 'delete', key: op.key, previous: previous!, revision });
        continue;
      }
      const created = previous?.created ?? revision;
      const lease = keepLease ? (before?.lease ?? null) : (op.lease?.id ?? null);
      this.#insert.run(id, op.key, 0, created, before?.id ?? null, lease, op.value);
      const entry: Entry = { key: op.key, value: op.value, revision, created };
      events.push(previous ? { type: 'put', entry, previous, revision } : { type: 'put', entry, revision });
    }
    return events.length > 0 ? { revision, events } : undefined;
  }

  /** Keys that are bound to the lease; to any lease when none is named. */
  leasedKeys(lease?: string): string[] {
    return this.#leased.all(lease ?? null, lease ?? null).map(row => String(row['key']));
  }

  /** Forgets, inside the caller's transaction, what the next `limit` keys no longer need; gives where to go on, if anywhere. */
  forget(revision: Revision, from: string, limit: number): string | undefined {
    const keys = this.#db
      .prepare('SELECT DISTINCT key FROM log WHERE key > ? ORDER BY key LIMIT ?')
      .all(from, limit)
      .map(row => String(row['key']));
    const last = keys.at(-1);
    if (last === undefined) return undefined;
    this.#db
      .prepare(
        `DELETE FROM log WHERE key > ?1 AND key <= ?2 AND id < ?3 AND (
           id < (SELECT max(id) FROM log newer WHERE newer.key = log.key AND newer.id < ?3) OR deleted)`,
      )
      .run(from, last, firstOf(revision + 1));
    return keys.length < limit ? undefined : last;
  }

  setMeta(name: 'revision' | 'compacted', value: number): void {
    this.#setMeta.run(value, name);
  }

  #find(key: string): Row | undefined {
    const row = this.#current.get(key) as unknown as (Row & { deleted: number }) | undefined;
    return row && !row.deleted ? row : undefined;
  }
}

/** The least key that a page after `after` may begin with; keys hold no NUL, so `after` + NUL lies right behind it. */
function startOf(range: KeyRange, after: string): string {
  return after === '' ? range.start : `${after}\0`;
}

type ReplayRow = Row & { deleted: number; pid: number | null; pvalue: string; pcreated: number };

function entryOf(row: Pick<Row, 'id' | 'key' | 'value' | 'created'>): Entry {
  return { key: row.key, value: row.value, revision: revisionOf(row.id), created: row.created };
}

function eventOf(row: ReplayRow): StoreEvent {
  const revision = revisionOf(row.id);
  const previous =
    row.pid === null ? undefined : entryOf({ id: row.pid, key: row.key, value: row.pvalue, created: row.pcreated });
  if (row.deleted) return { type: 'delete', key: row.key, previous: previous!, revision };
  const entry = entryOf(row);
  return previous ? { type: 'put', entry, previous, revision } : { type: 'put', entry, revision };
}
