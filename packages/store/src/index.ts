/** Where the server keeps everything: one interface, drivers for one machine and for many. */
export { newEpoch } from './epoch.ts';
export { leaseCompare } from './held-lease.ts';
export { openSqliteStore, type SqliteOptions } from './sqlite/sqlite-store.ts';
export type * from './store.ts';
