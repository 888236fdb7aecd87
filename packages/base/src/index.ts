/** The ground all packages stand on: errors, waiting, queues, names, logs. Imports nothing of the house, does no I/O but logs. */
export * from './abort.ts';
export * from './backoff.ts';
export * from './dialer.ts';
export * from './log.ts';
export * from './names.ts';
export * from './pure.ts';
export * from './queue.ts';
export * from './secret.ts';
export * from './splice.ts';
export * from './tally.ts';
export * from './token-key.ts';
export * from './versions.ts';
