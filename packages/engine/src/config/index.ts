/** The wanted cluster: read from files, checked, with its defaults. */

export { s3Problems } from './check.ts';
export { adminKubeconfig, writeAdminKubeconfig } from './kubeconfig.ts';
export { inspectCluster, type ReadCluster, type ReadOptions, readCluster, readClusterFile } from './read.ts';
export type * from './spec.ts';
export { formatState, type KeptState, parseState, readState, writeState } from './state.ts';
