/** Snapshots of etcd: made, kept and restored. */
export { type ListedSnapshot, listSnapshots, removeSnapshot, type SnapshotsOptions } from './list.ts';
export { fetchSnapshotState, type RestoreOptions, restoreSnapshot } from './restore.ts';
export { type SavedSnapshot, type SaveOptions, saveSnapshot } from './save.ts';
