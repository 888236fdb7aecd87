/** Builds and keeps Kubernetes clusters: certificates, binaries, and the local cluster. */
export * from './pki/index.ts';
