/** Real clusters with real nodes for end-to-end tests. */
export * from './cluster.ts';
export { busyboxImage, type ImageFile, type ImageOptions, pauseImage, writeImage } from './image.ts';
export { packagesFile, testClusterSkipReason } from './skip.ts';
