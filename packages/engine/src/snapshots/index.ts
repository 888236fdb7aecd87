/** Snapshots of etcd: made, kept and restored. */
export { type RestoreOptions, restoreSnapshot } from './restore.ts';
export { type SaveOptions, saveSnapshot } from './save.ts';
