/** Certificates and keys: made, checked, kept in a directory. */
export * from './certificate.ts';
export * from './check.ts';
export * from './store.ts';
