/** Builds and keeps Kubernetes clusters: certificates, binaries, and the local cluster. */
export * from './binaries/index.ts';
export * from './hosts/index.ts';
export * from './local/index.ts';
export * from './pki/index.ts';
export * from './process/index.ts';
