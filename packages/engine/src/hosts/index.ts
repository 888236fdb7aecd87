/** Hosts and the ways to them. */
export * from './executor.ts';
export { connectLocal } from './local.ts';
export { connectSsh, type SshOptions } from './ssh.ts';
