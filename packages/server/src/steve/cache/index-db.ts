/**
 * IndexDb: rows of many types in one temporary sqlite database, each type in a table of narrow rows to search and one of bodies to
 * show. Fields that somebody filters or sorts by get a column on first use; the least used one gives way. Runs in the worker.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Column } from './ages.ts';
import { parseFieldPath, valueAt } from './field-path.ts';
import { comparable, joinPieces, type Row, type RowPieces, type RowType } from './row.ts';
import { ipKey, orderOf, type Query, type Where, whereOf } from './sql.ts';

export interface Found {
  /** Each row's JSON behind its id, type and links. */
  readonly rows: readonly {
    readonly id: string;
    readonly namespace: string;
    readonly name: string;
    readonly text: string;
  }[];
  /** How many there are on all pages. */
  readonly count: number;
  readonly summary?: readonly SummaryPart[];
}

export interface SummaryPart {
  readonly property: string;
  readonly counts: Readonly<Record<string, { total: number; namespace?: Record<string, number> }>>;
}

/** How many objects are in one state in one namespace. */
export interface StateCount {
  readonly namespace: string;
  readonly state: string;
  readonly error: number;
  readonly transitioning: number;
  readonly count: number;
}

interface Table {
  readonly number: number;
  type: RowType;
  bytes: number;
  rows: number;
  /** Fields by slot; the most lately used last. */
  readonly slots: Map<string, { readonly slot: number; readonly keys: readonly string[]; readonly label: boolean }>;
  readonly statements: Map<string, StatementSync>;
  /** Counts of the last questions; emptied by every change. */
  readonly counted: Map<string, number>;
}

const slotCount = 24;
const fixed: Readonly<Record<string, string>> = {
  id: 'id',
  'metadata.name': 'name',
  'metadata.namespace': 'ns',
  'metadata.creationTimestamp': 'created',
  'metadata.state.name': 'state',
};

export class IndexDb {
  readonly #db: DatabaseSync;
  readonly #tables = new Map<string, Table>();
  #next = 1;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    // It is thrown away with the process: nothing needs to survive a crash. Held by us alone, it goes on when its name is gone.
    this.#db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
      PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; CREATE TABLE held (key INTEGER PRIMARY KEY);`);
    this.#db.function('ip_key', { deterministic: true }, ipKey);
  }

  /** Makes the table anew where it is not there yet; gives it the columns. */
  open(name: string, type: RowType): void {
    const there = this.#tables.get(name);
    if (there) {
      there.type = type;
      return;
    }
    const number = this.#next++;
    const slots = Array.from({ length: slotCount }, (_, slot) => `x${slot}`).join(', ');
    this.#db.exec(`
      CREATE TABLE t${number} (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ns TEXT, name TEXT, created TEXT, state TEXT,
        error INTEGER, transitioning INTEGER, generation INTEGER, ${slots});
      CREATE INDEX t${number}_place ON t${number} (ns COLLATE NOCASE, name COLLATE NOCASE, id COLLATE NOCASE);
      CREATE INDEX t${number}_name ON t${number} (name COLLATE NOCASE, id COLLATE NOCASE);
      CREATE INDEX t${number}_created ON t${number} (created COLLATE NOCASE DESC, id COLLATE NOCASE);
      CREATE INDEX t${number}_id ON t${number} (id COLLATE NOCASE);
      CREATE INDEX t${number}_ns ON t${number} (ns);
      CREATE TABLE b${number} (key INTEGER PRIMARY KEY, version TEXT, metadata TEXT, managed TEXT, cells TEXT, rest TEXT, bytes INTEGER);`);
    this.#tables.set(name, {
      number,
      type,
      bytes: 0,
      rows: 0,
      slots: new Map(),
      statements: new Map(),
      counted: new Map(),
    });
  }

  drop(name: string): void {
    const table = this.#tables.get(name);
    if (!table) return;
    table.statements.clear();
    this.#tables.delete(name);
    this.#db.exec(`DROP TABLE t${table.number}; DROP TABLE b${table.number}`);
  }

  typeOf(name: string): RowType {
    return this.#table(name).type;
  }

  setColumns(name: string, columns: readonly Column[]): void {
    const table = this.#table(name);
    table.type = { ...table.type, columns };
  }

  sizeOf(name: string): { readonly bytes: number; readonly rows: number } {
    const { bytes, rows } = this.#table(name);
    return { bytes, rows };
  }

  /** Puts rows in, or in place of what was there; says what changed. Nothing for a row that is there at this version already. */
  put(name: string, rows: readonly Row[], generation: number): ('added' | 'modified' | 'same')[] {
    const table = this.#table(name);
    return this.#inOne(() => rows.map(row => this.#putOne(table, row, generation)));
  }

  remove(name: string, id: string): boolean {
    const table = this.#table(name);
    const found = this.#statement(table, `SELECT key FROM t${table.number} WHERE id = ?`).get(id) as
      | { key: number }
      | undefined;
    if (!found) return false;
    this.#removeKey(table, found.key);
    return true;
  }

  /** Takes out what a whole list did not bring; gives the ids. */
  removeOthers(name: string, generation: number): string[] {
    const table = this.#table(name);
    const others = this.#statement(table, `SELECT key, id FROM t${table.number} WHERE generation <> ?`).all(generation);
    return this.#inOne(() =>
      (others as { key: number; id: string }[]).map(({ key, id }) => {
        this.#removeKey(table, key);
        return id;
      }),
    );
  }

  query(name: string, query: Query, options: { readonly managed: boolean; readonly now: number }): Found {
    const table = this.#table(name);
    const columnOf = (field: string) => this.#columnOf(table, field);
    const where = whereOf(query, columnOf);
    const count = this.#count(table, where);
    const summary =
      query.summary.length > 0 ? query.summary.map(field => this.#summary(table, where, { field, query })) : undefined;
    const rows = query.summaryOnly
      ? []
      : this.#rows(table, where, { order: orderOf(query, columnOf), query, ...options });
    return {
      rows,
      count,
      ...(summary ? { summary: summary.filter(part => Object.keys(part.counts).length > 0) } : {}),
    };
  }

  /** One row's JSON behind its id, type and links. */
  find(name: string, id: string, options: { readonly managed: boolean; readonly now: number }): string | undefined {
    const table = this.#table(name);
    const { number, type } = table;
    const sql = `SELECT t.id, t.ns AS namespace, t.name, b.metadata, b.managed, b.cells, b.rest FROM t${number} t JOIN b${number} b USING (key) WHERE t.id = ?`;
    const row = this.#statement(table, sql).get(id) as RowPieces | undefined;
    return row && joinPieces(row, type, options);
  }

  counts(name: string, query: Pick<Query, 'reach'>): StateCount[] {
    const table = this.#table(name);
    const where = whereOf(
      { ...query, filters: [], sort: [], summary: [], summaryOnly: false, summaryNamespaced: false },
      () => 'id',
    );
    const sql = `SELECT ns AS namespace, state, error, transitioning, count(*) AS count FROM t${table.number} WHERE ${where.text} GROUP BY ns, state, error, transitioning`;
    return this.#statement(table, sql).all(...where.values) as unknown as StateCount[];
  }

  close(): void {
    this.#tables.clear();
    this.#db.close();
  }

  #rows(
    table: Table,
    where: Where,
    { order, query, ...options }: { order: string; query: Query; managed: boolean; now: number },
  ): Found['rows'] {
    const { number, type } = table;
    const { page } = query;
    const limit = page ? ` LIMIT ${page.size} OFFSET ${(page.number - 1) * page.size}` : '';
    const inner = `SELECT key, id, ns, name FROM t${number} WHERE ${where.text} ORDER BY ${order}${limit}`;
    const body = this.#statement(table, `SELECT metadata, managed, cells, rest FROM b${number} WHERE key = ?`);
    const found = this.#statement(table, inner).all(...where.values) as unknown as {
      key: number;
      id: string;
      ns: string;
      name: string;
    }[];
    return found.map(({ key, id, ns: namespace, name }) => {
      const pieces = body.get(key) as Pick<RowPieces, 'metadata' | 'managed' | 'cells' | 'rest'>;
      const row = { id, namespace, name, ...pieces };
      return { id, namespace, name, text: joinPieces(row, type, options) };
    });
  }

  #count(table: Table, where: Where): number {
    const key = JSON.stringify(where);
    const known = table.counted.get(key);
    if (known !== undefined) return known;
    const sql = `SELECT count(*) AS count FROM t${table.number} WHERE ${where.text}`;
    const { count } = this.#statement(table, sql).get(...where.values) as { count: number };
    if (table.counted.size >= 200) table.counted.clear();
    table.counted.set(key, count);
    return count;
  }

  #summary(table: Table, where: Where, { field, query }: { field: string; query: Query }): SummaryPart {
    const column = this.#columnOf(table, field);
    const ns = query.summaryNamespaced ? ', ns' : '';
    const sql = `SELECT CAST(${column} AS TEXT) AS value, count(*) AS total${ns} FROM t${table.number} WHERE ${where.text} AND ifnull(${column}, '') <> '' GROUP BY 1${ns} LIMIT 10000`;
    const counts: Record<string, { total: number; namespace?: Record<string, number> }> = {};
    for (const { value, total, ns: place } of this.#statement(table, sql).all(...where.values) as unknown as {
      value: string;
      total: number;
      ns?: string;
    }[]) {
      const one = (counts[value] ??= { total: 0 });
      one.total += total;
      if (place) (one.namespace ??= {})[place] = total;
    }
    return { property: field, counts };
  }

  #putOne(table: Table, row: Row, generation: number): 'added' | 'modified' | 'same' {
    const { number } = table;
    const sql = `SELECT t.key, b.version, b.bytes FROM t${number} t JOIN b${number} b USING (key) WHERE t.id = ?`;
    const before = this.#statement(table, sql).get(row.id) as
      | { key: number; version: string; bytes: number }
      | undefined;
    if (before && before.version === row.version && row.version !== '') {
      this.#statement(table, `UPDATE t${number} SET generation = ? WHERE key = ?`).run(generation, before.key);
      return 'same';
    }
    const bytes = row.metadata.length + row.managed.length + row.cells.length + row.rest.length + 200;
    table.bytes += bytes - (before?.bytes ?? 0);
    table.rows += before ? 0 : 1;
    table.counted.clear();
    const slots = this.#slotValues(table, row);
    const marks = Array.from({ length: slotCount }, (_, slot) => `, x${slot}`).join('');
    const put = this.#statement(
      table,
      `INSERT OR REPLACE INTO t${number} (key, id, ns, name, created, state, error, transitioning, generation${marks})
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?${', ?'.repeat(slotCount)})`,
    );
    const { id, namespace, name, created, state, error, transitioning } = row;
    const place = [id, namespace, name, created, state, Number(error), Number(transitioning), generation];
    const { lastInsertRowid } = put.run(before?.key ?? null, ...place, ...slots);
    this.#statement(table, `INSERT OR REPLACE INTO b${number} VALUES (?, ?, ?, ?, ?, ?, ?)`).run(
      lastInsertRowid,
      row.version,
      row.metadata,
      row.managed,
      row.cells,
      row.rest,
      bytes,
    );
    return before ? 'modified' : 'added';
  }

  #slotValues(table: Table, row: Row): (string | number | null)[] {
    const values: (string | number | null)[] = Array.from({ length: slotCount }, () => null);
    if (table.slots.size === 0) return values;
    for (const { slot, keys, label } of table.slots.values())
      values[slot] = valueAt(comparable(row, keys), keys) ?? (label ? null : '');
    return values;
  }

  /** The column of a field; one that has none gets a slot, which is then filled from all bodies. */
  #columnOf(table: Table, field: string): string {
    const own = fixed[field];
    if (own) return own;
    const keys = parseFieldPath(field);
    const known = table.slots.get(field);
    if (known) {
      table.slots.delete(field);
      table.slots.set(field, known);
      return `x${known.slot}`;
    }
    let slot = table.slots.size;
    if (slot >= slotCount) {
      const [oldest] = table.slots;
      table.slots.delete(oldest![0]);
      slot = oldest![1].slot;
    }
    const label = field.startsWith('metadata.labels');
    table.slots.set(field, { slot, keys, label });
    this.#fill(table, { slot, keys, label });
    return `x${slot}`;
  }

  #fill(table: Table, { slot, keys, label }: { slot: number; keys: readonly string[]; label: boolean }): void {
    const { number } = table;
    table.counted.clear();
    // Kept as it is afterwards, so that a page in this order is read from the index and not sorted anew.
    this.#db.exec(`DROP INDEX IF EXISTS t${number}_x${slot}`);
    const update = this.#statement(table, `UPDATE t${number} SET x${slot} = ? WHERE key = ?`);
    const all = this.#statement(
      table,
      `SELECT key, t.id, metadata, cells, rest FROM b${number} JOIN t${number} t USING (key)`,
    );
    this.#inOne(() => {
      for (const row of all.iterate() as Iterable<RowPieces & { key: number }>) {
        update.run(valueAt(comparable(row, keys), keys) ?? (label ? null : ''), row.key);
      }
    });
    this.#db.exec(`CREATE INDEX t${number}_x${slot} ON t${number} (x${slot} COLLATE NOCASE, id COLLATE NOCASE)`);
  }

  #removeKey(table: Table, key: number): void {
    const { number } = table;
    const { bytes } = this.#statement(table, `SELECT bytes FROM b${number} WHERE key = ?`).get(key) as {
      bytes: number;
    };
    this.#statement(table, `DELETE FROM t${number} WHERE key = ?`).run(key);
    this.#statement(table, `DELETE FROM b${number} WHERE key = ?`).run(key);
    table.bytes -= bytes;
    table.rows--;
    table.counted.clear();
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`there is no table "${name}"`);
    return table;
  }

  /** Questions come in few shapes again and again; those that don't are forgotten. */
  #statement(table: Table, sql: string): StatementSync {
    let statement = table.statements.get(sql);
    if (!statement) {
      if (table.statements.size >= 100) table.statements.clear();
      table.statements.set(sql, (statement = this.#db.prepare(sql)));
    }
    return statement;
  }

  #inOne<T>(work: () => T): T {
    this.#db.exec('BEGIN');
    try {
      const done = work();
      this.#db.exec('COMMIT');
      return done;
    } catch (error) {
      // Without a journal nothing can be taken back, and nothing needs to be: the next list puts it right.
      this.#db.exec('COMMIT');
      throw error;
    }
  }
}
