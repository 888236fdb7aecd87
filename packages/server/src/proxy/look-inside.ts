/**
 * The two paths of a cluster's API on which a session's cookie signs in: logs of a pod, and a command in it, for the UI. Whatever else is
 * below the prefix stays closed to cookies: a workload's own pages are served there. An escape in a name would be read as a slash by the
 * kube-apiserver, and lead to those pages after all, so that only plain names are taken.
 */
import { forbidden, methodNotAllowed } from '@drover/base';
import { isCrossSite } from '../auth/index.ts';
import type { Caller, Exchange } from '../http/exchange.ts';

const name = '[a-z0-9][a-z0-9.-]*';
const pattern = new RegExp(`^/k8s/clusters/${name}/api/v1/namespaces/${name}/pods/${name}/(?:log|exec)$`);

export function isLookInside(path: string): boolean {
  return pattern.test(path);
}

/** By a cookie logs may be read, and nothing be sent: commands are upgrades, whose origin is checked. */
export function requireReading(
  { request, path }: Pick<Exchange, 'request' | 'path'>,
  caller: Pick<Caller, 'via'>,
): void {
  if (caller.via !== 'cookie') return;
  if (request.method !== 'GET' || !path.endsWith('/log')) throw methodNotAllowed(request.method ?? '', path);
  if (isCrossSite(request)) throw forbidden('a page of another site may not read logs');
}
