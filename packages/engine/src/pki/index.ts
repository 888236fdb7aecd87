/** Certificates and keys: made, checked, kept in a directory. */
export * from './certificate.ts';
export * from './check.ts';
export { dueCertificates } from './cluster-certs.ts';
export { readCustomCertificates, writeRequests } from './custom.ts';
export { renewalOf } from './renewal.ts';
export { certificateEnds, withTrusted } from './rotation.ts';
export * from './store.ts';
