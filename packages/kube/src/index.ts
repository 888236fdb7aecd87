/** Client for one kube-apiserver: requests, watches, kubeconfigs. */

export { type AccessAnswer, reviewOwnAccess } from './access-review.ts';
export { applyManifest, deleteManifest, type ManifestOptions, type ManifestStep } from './apply-manifest.ts';
export * from './client.ts';
export * from './connection.ts';
export { type ApiResource, Discovery, type Version } from './discovery.ts';
export { readFileIfThere, writeFileAtomic } from './files.ts';
export { type ForwardOptions, forward } from './forward.ts';
export { ForwardTarget } from './forward-target.ts';
export { forwardUpgrade, type UpgradeRequest } from './forward-upgrade.ts';
export { authorization } from './headers.ts';
export { endToEndHeaders } from './hop-by-hop.ts';
export { type ConnectOptions, findContext, toConnection } from './kubeconfig/connection.ts';
export { formatKubeconfig, type MergeOptions, mergeIntoKubeconfig, type NewKubeconfig } from './kubeconfig/edit.ts';
export { kubeconfigPaths, kubeconfigTarget, loadKubeconfig, writeKubeconfig } from './kubeconfig/files.ts';
export { inClusterConnection } from './kubeconfig/in-cluster.ts';
export { type ExecEntry, type Kubeconfig, mergeKubeconfigs, parseKubeconfig } from './kubeconfig/kubeconfig.ts';
export { tokenFile } from './kubeconfig/token-file.ts';
export { applyOrder, parseManifest } from './manifest.ts';
export * from './node-usage.ts';
export type { Change, IndexFunction } from './object-store.ts';
export { dialProxy, proxyFromEnvironment } from './proxy.ts';
export * from './resource-ref.ts';
export type { Answer, Method, Query } from './transport.ts';
export type { UpgradeOptions } from './upgrade.ts';
export { type WaitOptions, waitForCondition, waitForObject } from './wait.ts';
export type { WatchEvent, WatchOptions } from './watch.ts';
export { WatchCache, type WatchCacheOptions } from './watch-cache.ts';
