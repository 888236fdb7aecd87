/**
 * Group commit: writes that arrive while the disk is busy go into one SQLite transaction, each still judged by itself, and none is
 * answered before the write-ahead log is on disk. The sync runs on Node's thread pool, so the event loop never waits for a disk.
 */
import { closeSync, fdatasync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { unavailable } from '@drover/base';
import { checkpoint } from './checkpoint.ts';
import { sqliteError } from './errors.ts';

const sync = promisify(fdatasync);
const checkpointBytes = 16 * 1024 * 1024;
const maxGroup = 256;

interface Pending {
  /** Judges and writes inside the open transaction; a throw refuses this write alone. */
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriterHooks {
  /** A group has become visible to reads. */
  committed(): void;
  /** A group was taken back; its writes may be run again. */
  rolledBack(): void;
  /** All that was committed is on disk; its writers are answered next. */
  durable(): void;
  /** Nothing that is not yet durable can be promised any more. */
  failed(error: Error): void;
}

export class GroupWriter {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #wal: number | undefined;
  readonly #hooks: WriterHooks;
  #pending: Pending[] = [];
  #running: Promise<void> | undefined;
  #failed: Error | undefined;
  #checkpointing: Promise<void> | undefined;
  #checkpointAt = checkpointBytes;

  constructor(db: DatabaseSync, path: string, hooks: WriterHooks) {
    this.#db = db;
    this.#path = path;
    this.#hooks = hooks;
    if (path === ':memory:') return;
    this.#wal = openSync(`${path}-wal`, 'r+');
    // The names of the file and its log must be on disk before anything is promised to be in them.
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  /** Resolves with what `run` gave once that is durable. */
  write<T>(run: () => T): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      this.#pending.push({ run, resolve, reject });
      this.#running ??= this.#loop();
    });
  }

  /** Refuses every write from now on; those under way are answered first. */
  async close(): Promise<void> {
    this.#failed ??= unavailable('the store was closed');
    await this.#running;
    await this.#checkpointing;
    if (this.#wal !== undefined) closeSync(this.#wal);
  }

  async #loop(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0, maxGroup);
      const answers = this.#commit(group);
      if (!answers) continue;
      try {
        if (this.#wal !== undefined) await sync(this.#wal);
      } catch (error) {
        this.#fail(group, error);
        break;
      }
      this.#hooks.durable();
      for (const answer of answers) answer();
      this.#maybeCheckpoint();
    }
    this.#running = undefined;
  }

  /** The answers to give once the group is durable; undefined when it was not written, and has been answered. */
  #commit(group: readonly Pending[]): (() => void)[] | undefined {
    const answers: (() => void)[] = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const { run, resolve, reject } of group) {
        try {
          const value = run() as never;
          answers.push(() => resolve(value));
        } catch (error) {
          if (isFromSqlite(error)) throw error;
          answers.push(() => reject(error));
        }
      }
      this.#db.exec('COMMIT');
      this.#hooks.committed();
      return answers;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#hooks.rolledBack();
      // One large write must not take the small ones with it: each is tried by itself.
      if (group.length > 1) return group.flatMap(one => this.#commit([one]) ?? []);
      group[0]!.reject(sqliteError(error, this.#path));
      return undefined;
    }
  }

  /** After a failed sync nobody knows what is on disk: nothing more is promised until the store is opened again. */
  #fail(group: readonly Pending[], cause: unknown): void {
    this.#failed = unavailable(`${this.#path}: the disk failed; start again`, { cause });
    this.#hooks.failed(this.#failed);
    for (const { reject } of [...group, ...this.#pending.splice(0)]) reject(this.#failed);
  }

  #maybeCheckpoint(): void {
    if (this.#wal === undefined || this.#checkpointing) return;
    const { size } = fstatSync(this.#wal);
    if (size < this.#checkpointAt) return;
    this.#checkpointing = checkpoint(this.#db, this.#path).then(
      () => {
        this.#checkpointAt = checkpointBytes;
        this.#checkpointing = undefined;
      },
      () => {
        // A full disk: the log still holds everything, and the next writes say so themselves if they can not be kept.
        this.#checkpointAt = size + checkpointBytes;
        this.#checkpointing = undefined;
      },
    );
  }
}

function isFromSqlite(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error;
}
