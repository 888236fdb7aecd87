/** Where the server keeps everything: one interface, drivers for one machine and for many. */
export { type CopyProgress, copyStore, isHalfCopied } from './copy.ts';
export { FieldCipher, isSealed, type Place, rotateSecrets } from './encryption.ts';
export { newEpoch } from './epoch.ts';
export { type EtcdOptions, openEtcdStore } from './etcd/open.ts';
export type { EtcdTls } from './etcd/rpc.ts';
export { leaseCompare } from './held-lease.ts';
export {
  checkKeyring,
  formatKeyring,
  type Keyring,
  newSecretsKey,
  openKeyring,
  type SecretsKey,
} from './keyring.ts';
export { openSqliteStore, type SqliteOptions } from './sqlite/sqlite-store.ts';
export type * from './store.ts';
