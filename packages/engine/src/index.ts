/** Builds and keeps Kubernetes clusters: certificates, binaries, and the local cluster. */
export * from './binaries/index.ts';
export * from './pki/index.ts';
