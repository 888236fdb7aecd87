/** Kubernetes' own binaries, wherever they can be had. */
export { defaultCacheDir } from './cache.ts';
export * from './find.ts';
export { goBuildArguments, runGo } from './go-build.ts';
export {
  type BinaryName,
  type BinaryProgress,
  type BinarySource,
  controlPlaneBinaries,
  nodeBinaries,
  platformName,
} from './names.ts';
export { defaultMinor, kubernetesVersions, parseKubernetes, saidVersions } from './versions.ts';
