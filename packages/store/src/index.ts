/** Where the server keeps everything: one interface, drivers for one machine and for many. */
export type * from './store.ts';
