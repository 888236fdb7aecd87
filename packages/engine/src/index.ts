/** Builds and keeps Kubernetes clusters: on hosts that somebody owns, and the local one. */
export * from './addons/index.ts';
export * from './binaries/index.ts';
export * from './bundle/index.ts';
export * from './config/index.ts';
export * from './hosts/index.ts';
export * from './local/index.ts';
export * from './local-node/index.ts';
export * from './pki/index.ts';
export * from './plan/index.ts';
export * from './process/index.ts';
export * from './snapshots/index.ts';
