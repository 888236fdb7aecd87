/**
 * Opens the file and makes or checks its tables. One table holds every version of every key, in order of time: the id is
 * revision × 128 + place in the transaction, so revision order, replay and "as it was at" are ranges of one integer.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { invalid, StatusError } from '@drover/base';
import { damaged, sqliteError } from './errors.ts';

const schemaVersion = 1;
/** "drvr": tells our files from other SQLite files. */
const applicationId = 0x64727672;

const schema = `
  CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    created INTEGER NOT NULL,
    previous INTEGER,
    lease TEXT,
    value TEXT NOT NULL
  );
  CREATE INDEX log_key ON log (key, id, deleted);
  CREATE INDEX log_lease ON log (lease) WHERE lease IS NOT NULL;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('revision', 1), ('compacted', 0);
`;

/**
 * The database, ready for use. A commit does not wait for the disk (synchronous=NORMAL): the writer syncs the write-ahead log
 * itself, off the event loop, before it answers.
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
    const db = new DatabaseSync(path, { timeout: 2000 });
    try {
      prepare(db, path);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof StatusError) throw error;
    if (error instanceof Error && 'syscall' in error) throw invalid(path, `can not be opened: ${error.message}`);
    throw sqliteError(error, path);
  }
}

function prepare(db: DatabaseSync, path: string): void {
  const version = pragma(db, 'user_version');
  const id = pragma(db, 'application_id');
  const empty = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
  if (!empty && id !== applicationId) throw damaged(path, new Error('it is an SQLite file of another program'));
  if (version > schemaVersion)
    throw invalid(
      path,
      `was written by a newer version (format ${version}; this version reads up to ${schemaVersion}): start that version or a newer one`,
    );
  db.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16000;`,
  );
  if (empty) {
    db.exec(
      `BEGIN IMMEDIATE; ${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT;`,
    );
    return;
  }
  // Walks the tree of every table, about a second for each GiB: a damaged page is met now and not in the middle of a request.
  const verdict = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (verdict !== 'ok') throw damaged(path, new Error(String(verdict)));
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
