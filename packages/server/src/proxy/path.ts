/**
 * `/k8s/clusters/<id>/…` apart into cluster and path. The rest is passed on as it came: only the kube-apiserver decides
 * what it means, so nothing here is decoded or normalised.
 */
import { isDnsLabel, notFound } from '@drover/base';

export const proxyPrefixes = ['/k8s/clusters', '/k8s/proxy'] as const;

export interface ProxyPath {
  readonly clusterId: string;
  /** Begins with a slash. */
  readonly rest: string;
}

/** Throws NotFound for what can't be a cluster's id; a trick with dots, escapes or empty segments is none. */
export function parseProxyPath(path: string, prefix: string): ProxyPath {
  const start = prefix.length + 1;
  const slash = path.indexOf('/', start);
  const clusterId = slash < 0 ? path.slice(start) : path.slice(start, slash);
  if (!path.startsWith(`${prefix}/`) || !isDnsLabel(clusterId)) throw notFound('cluster', clusterId.slice(0, 63));
  return { clusterId, rest: slash < 0 ? '/' : path.slice(slash) };
}

const namespaced = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)(?:\/watch)?\/namespaces\/([^/]+)/;

/** The namespace that a path leads into; `*` where that can't be told from how it is written; undefined outside of all. */
export function namespaceOf(rest: string): string | undefined {
  if (/%|\/\/|\/\./.test(rest)) return '*';
  return namespaced.exec(rest)?.[1];
}
