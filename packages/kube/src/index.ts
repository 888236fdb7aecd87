/** Client for one kube-apiserver: requests, watches, kubeconfigs. */
export * from './client.ts';
export * from './connection.ts';
export { type ApiResource, Discovery, type Version } from './discovery.ts';
export * from './resource-ref.ts';
export type { Answer, Method, Query } from './transport.ts';
export type { UpgradeOptions } from './upgrade.ts';
export type { WatchEvent, WatchOptions } from './watch.ts';
