/** Real clusters with real nodes for end-to-end tests. */
export * from './cluster.ts';
export { busyboxImage } from './image.ts';
export { testClusterSkipReason } from './skip.ts';
