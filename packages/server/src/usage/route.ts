/**
 * `/v1-usage?clusterId=…&by=node|namespace|workload`: what was used over the last hours, as far as the caller may read it in that cluster
 * now, which the cluster itself is asked.
 */
import { invalid, methodNotAllowed, notFound } from '@drover/base';
import { type KubeClient, reviewOwnAccess } from '@drover/kube';
import type { ApiDeps } from '../api/behaviour.ts';
import { clientFor } from '../clusters/client-for.ts';
import type { Caller, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import { Usage } from './usage.ts';
import { type Grouping, groupings, type UsageRing } from './usage-ring.ts';

const prefix = '/v1-usage';
const group = 'metrics.k8s.io';
const mostShown = 20;
/** More namespaces than that are not asked for one by one. */
const mostAsked = 100;

export function usageRoute(deps: ApiDeps, signal: AbortSignal): Route {
  const usage = new Usage({ clients: deps.clients, signal });
  return {
    prefix,
    signIn: 'user',
    errors: 'norman',
    async handle({ request, response, path, query }, caller) {
      if (path !== prefix) throw notFound('path', path.slice(0, 200));
      if (request.method !== 'GET') throw methodNotAllowed(request.method ?? '', 'usage');
      const by = groupings.find(one => one === query.get('by'));
      if (!by) throw invalid('by', `must be one of ${groupings.join(', ')}`);
      const series = await read(deps, usage, caller!, { by, clusterId: query.get('clusterId') ?? '' });
      sendJson(response, 200, { type: 'usage', by, series }, noStore);
    },
  };
}

interface Asked {
  readonly by: Grouping;
  readonly clusterId: string;
}

async function read(deps: ApiDeps, usage: Usage, caller: Caller, { by, clusterId }: Asked) {
  await using client = clientFor(deps, caller, clusterId);
  const may = (resource: string, namespace?: string) =>
    reviewOwnAccess(client, { verb: 'list', group, resource, ...(namespace ? { namespace } : {}) });
  if (by === 'node') {
    if (!(await may('nodes')).allowed) return [];
    return (await usage.of(clusterId)).series('node', () => true).slice(0, mostShown);
  }
  const ring = await usage.of(clusterId);
  const seen = await seenNamespaces(client, ring);
  return ring.series(by, namespace => seen === 'all' || seen.has(namespace)).slice(0, mostShown);
}

async function seenNamespaces(client: KubeClient, ring: UsageRing): Promise<ReadonlySet<string> | 'all'> {
  const may = async (namespace?: string) =>
    (await reviewOwnAccess(client, { verb: 'list', group, resource: 'pods', ...(namespace ? { namespace } : {}) }))
      .allowed;
  if (await may()) return 'all';
  const names = ring.namespaces().slice(0, mostAsked);
  const answers = await Promise.all(names.map(may));
  return new Set(names.filter((_, at) => answers[at]));
}
