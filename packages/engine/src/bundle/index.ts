/** Bundles: what hosts need, of fixed versions, in one place. */
export { type BuildOptions, buildBundle } from './build.ts';
export type { Bundle, BundleFile, BundleImage, BundleManifest } from './bundle.ts';
export { type ImageFile, type ImageOptions, writeImage } from './image.ts';
export { findNodeBinaries } from './node-binaries.ts';
export { defaultBundleDir, openBundle, verifyBundle } from './open.ts';
export { writeBundleTar } from './tar.ts';
