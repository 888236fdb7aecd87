/** The wanted cluster: read from files, checked, with its defaults. */

export { adminKubeconfig, writeAdminKubeconfig } from './kubeconfig.ts';
export { type ReadCluster, type ReadOptions, readCluster, readClusterFile } from './read.ts';
export type * from './spec.ts';
export { type KeptState, readState, writeState } from './state.ts';
