/**
 * IndexDb: rows of many types in one temporary sqlite database, each type in a table of narrow rows to search and one of bodies to
 * show. What would take long, as giving a field of 100,000 rows a column, is done in steps that others need not wait for. Runs in the worker.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { unavailable } from '@drover/base';
import type { Column } from './ages.ts';
import { comparables, joinPieces, type Row, type RowPieces, type RowType } from './row.ts';
import { cellOf, type Slot, Slots, slotCount } from './slots.ts';
import { type Clause, fixedColumns, ipKey, orderOf, type Query, type Where, whereOf } from './sql.ts';

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
  readonly slots: Slots;
  readonly statements: Map<string, StatementSync>;
  /** Counts of the last questions; emptied by every change. */
  readonly counted: Map<string, number>;
}

/** How many rows get their value of a field in one step: some milliseconds. */
const stepRows = 1000;

/** Whether an index gives rows in the order that is asked for; `inOrder` are the slots that it goes by. */
function isReadInOrder({ sort }: Query, inOrder: ReadonlySet<Slot>): boolean {
  const [first, second] = sort.map(({ field }) => field);
  if (first === 'metadata.namespace') return second === undefined || second === 'metadata.name';
  if (first === 'metadata.state.name' || first?.startsWith('ip(')) return false;
  return [...inOrder].every(({ index }) => index === 'made');
}

/**
 * Whether a page is full sooner when rows are read in their order, those that do not fit left out, than when all that fit are looked up
 * and sorted: one who may see a good part of a large list. To look up and sort a row costs some five times what it takes to pass it by.
 */
function isSoonFull({ page }: Query, count: number, rows: number): boolean {
  return page !== undefined && 5 * count * count > page.number * page.size * rows;
}

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
      this.#setType(there, type);
      return;
    }
    const number = this.#next++;
    const slots = Array.from({ length: slotCount }, (_, slot) => `x${slot}`).join(', ');
    this.#db.exec(`
      CREATE TABLE t${number} (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ns TEXT NOT NULL, name TEXT NOT NULL,
        created TEXT NOT NULL, state TEXT NOT NULL, error INTEGER, transitioning INTEGER, generation INTEGER, ${slots});
      CREATE INDEX t${number}_place ON t${number} (ns COLLATE NOCASE, name COLLATE NOCASE, id COLLATE NOCASE);
      CREATE INDEX t${number}_name ON t${number} (name COLLATE NOCASE, id COLLATE NOCASE, ns);
      CREATE INDEX t${number}_created ON t${number} (created COLLATE NOCASE, id COLLATE NOCASE, ns, name);
      CREATE INDEX t${number}_id ON t${number} (id COLLATE NOCASE);
      CREATE INDEX t${number}_ns ON t${number} (ns, state, error, transitioning);
      CREATE TABLE b${number} (key INTEGER PRIMARY KEY, version TEXT, metadata TEXT, managed TEXT, cells TEXT, rest TEXT, bytes INTEGER);`);
    const table: Table = {
      number,
      type,
      bytes: 0,
      rows: 0,
      slots: new Slots(),
      statements: new Map(),
      counted: new Map(),
    };
    this.#tables.set(name, table);
    this.#setType(table, type);
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
    this.#setType(table, { ...table.type, columns });
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
    table.slots.listed();
    const others = this.#statement(table, `SELECT key, id FROM t${table.number} WHERE generation <> ?`).all(generation);
    return this.#inOne(() =>
      (others as { key: number; id: string }[]).map(({ key, id }) => {
        this.#removeKey(table, key);
        return id;
      }),
    );
  }

  /** What is asked for; undefined where a field has to be filled first. */
  query(name: string, query: Query, options: { readonly managed: boolean; readonly now: number }): Found | undefined {
    const table = this.#table(name);
    const used = new Set<Slot>();
    const columnOf = (field: string) => this.#columnOf(table, field, used);
    const where = whereOf(query, columnOf);
    const summaryColumns = query.summary.map(columnOf);
    const inOrder = new Set<Slot>();
    const order = orderOf(query, field => this.#columnOf(table, field, used, inOrder));
    if ([...used].some(({ filledTo }) => filledTo !== undefined)) return undefined;
    table.slots.sortedBy(inOrder);
    const count = this.#count(table, where);
    const summary =
      query.summary.length > 0
        ? query.summary.map((field, index) =>
            this.#summary(table, where, { field, column: summaryColumns[index]!, query }),
          )
        : undefined;
    const text = isReadInOrder(query, inOrder) && isSoonFull(query, count, table.rows) ? where.inOrder : where.text;
    const rows = query.summaryOnly ? [] : this.#rows(table, { ...where, text }, { order, query, ...options });
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

  /** Gives some more rows their value of a field that was asked for. */
  fillSome(name: string): void {
    const table = this.#table(name);
    const slot = table.slots.unfilled;
    if (!slot) return;
    const { number } = table;
    table.counted.clear();
    const update = this.#statement(table, `UPDATE t${number} SET x${slot.number} = ? WHERE key = ?`);
    const sql = `SELECT b.key, t.id, metadata, cells, rest FROM b${number} b JOIN t${number} t USING (key) WHERE b.key > ? ORDER BY b.key LIMIT ${stepRows}`;
    const rows = this.#statement(table, sql).all(slot.filledTo!) as unknown as (RowPieces & { key: number })[];
    this.#inOne(() => {
      for (const row of rows) update.run(cellOf(slot, comparables(row)), row.key);
    });
    slot.filledTo = rows.length < stepRows ? undefined : rows.at(-1)!.key;
  }

  /** Makes one index that a page in a column's order is read from; says whether there was one to make. */
  indexOne(): boolean {
    for (const table of this.#tables.values()) {
      const slot = table.slots.wanted;
      if (!slot) continue;
      slot.index = 'made';
      const name = `t${table.number}_x${slot.number}`;
      try {
        this.#db.exec(
          `CREATE INDEX ${name} ON t${table.number} (x${slot.number} COLLATE NOCASE, id COLLATE NOCASE, ns, name)`,
        );
      } catch {
        // There is no room for it: the order is the same without, and slower.
      }
      return true;
    }
    return false;
  }

  close(): void {
    this.#tables.clear();
    this.#db.close();
  }

  #rows(
    table: Table,
    where: Clause,
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

  #summary(
    table: Table,
    where: Where,
    { field, column, query }: { field: string; column: string; query: Query },
  ): SummaryPart {
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
    const slots = table.slots.valuesOf(row);
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

  /** The column of a field; `inOrder` is told of one that the order goes by. */
  #columnOf(table: Table, field: string, used: Set<Slot>, inOrder?: Set<Slot>): string {
    const own = fixedColumns.get(field);
    if (own) return own;
    const { slot, isNew } = table.slots.take(field, used);
    // What the slot held before was in an index of another field.
    if (isNew) this.#db.exec(`DROP INDEX IF EXISTS t${table.number}_x${slot.number}`);
    inOrder?.add(slot);
    return `x${slot.number}`;
  }

  #setType(table: Table, type: RowType): void {
    table.type = type;
    if (table.rows === 0) table.slots.print(type.columns);
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
    if (!table) throw unavailable('this list is being read anew', { retryAfterSeconds: 1 });
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
