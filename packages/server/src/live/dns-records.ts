/**
 * DNS records: names in a namespace for what is elsewhere: a host, addresses, another record, a workload, or the pods of a
 * selector. Each is a service of the cluster; what it leads to is of one sort, and stays of it.
 */

import { isIP } from 'node:net';
import type { LiveObject, LiveType, V3Data } from '@drover/api';
import { ignoreNotFound, invalid, isAlreadyExists, notFound, type Resource } from '@drover/base';
import { endpoints, services } from '@drover/kube';
import type { ApiRequest, Behaviour } from '../api/behaviour.ts';
import { asCaller } from './as-caller.ts';
import { createLive, getLive, showLive, updateLive } from './live-store.ts';
import { workloadType } from './workloads.ts';

const sorts = ['hostname', 'ipAddresses', 'targetDnsRecordIds', 'targetWorkloadIds', 'selector'] as const;
type Sort = (typeof sorts)[number];
const maxAddresses = 1000;
/** Headless services that lead to addresses need a port, which nobody looks at. */
const port = { name: 'default', port: 42, protocol: 'TCP' } as const;

/** `own` is what every type of a cluster does. */
export function dnsRecordKind(type: LiveType, own: Behaviour<V3Data>): Behaviour<V3Data> {
  return {
    ...own,
    source: {
      ...own.source!,
      update: async (request, id, input) => {
        const seen = showLive(request, type, await getLive(request, type, id));
        const [sort, other] = given(input);
        const now = given(seen)[0];
        if (other || (sort && now && sort !== now))
          throw invalid(other ?? sort!, `this record is of ${now}: make another one`, 'InvalidOption');
        const replace = request.exchange.query.get('_replace') === 'true';
        const fields = sort ? await fieldsFor(request, sort, { ...seen, ...input }) : {};
        const changed = await updateLive(request, type, id, { input: { ...input, ...fields }, replace });
        if (sort === 'ipAddresses') await putAddresses(request, changed, input[sort] as string[]);
        return showLive(request, type, changed);
      },
    },
    async create(request, input) {
      const [sort, other] = given(input);
      if (!sort) throw invalid('hostname', `is required, or one of ${sorts.slice(1).join(', ')}`, 'MissingRequired');
      if (other) throw invalid(other, `can't be given beside ${sort}`, 'InvalidOption');
      const fields = await fieldsFor(request, sort, input);
      const made = await createLive(request, type, { ...input, ...fields });
      try {
        if (sort === 'ipAddresses') await putAddresses(request, made, input[sort] as string[]);
      } catch (error) {
        const { name, namespace, uid } = made.metadata;
        await ignoreNotFound(asCaller(request).delete(services, name, { namespace, preconditions: { uid } }));
        throw error;
      }
      return showLive(request, type, made);
    },
  };
}

/** What it leads to. A record of another or of a workload has a host or a selector by that. */
function given(data: V3Data): Sort[] {
  const all = sorts.filter(name => {
    const value = data[name];
    return typeof value === 'object' ? value !== null && Object.keys(value).length > 0 : Boolean(value);
  });
  if (all.includes('targetDnsRecordIds')) return all.filter(name => name !== 'hostname');
  return all.includes('targetWorkloadIds') ? all.filter(name => name !== 'selector') : all;
}

/** The service's fields for it, in v3's words. */
async function fieldsFor(request: ApiRequest, sort: Sort, input: V3Data): Promise<V3Data> {
  if (sort === 'hostname') return { kind: 'ExternalName' };
  if (sort === 'selector') return { clusterIp: 'None' };
  if (sort === 'ipAddresses') {
    requireAddresses(input[sort] as unknown[]);
    return { clusterIp: 'None', ports: [port] };
  }
  const ids = input[sort] as string[];
  if (ids.length !== 1) throw invalid(sort, 'must be one: a name leads to one place', 'InvalidOption');
  const namespace = String(input['namespaceId']);
  if (sort === 'targetDnsRecordIds') return { kind: 'ExternalName', hostname: await hostOf(request, ids[0]!) };
  const workload = await getLive(request, workloadType(ids[0]!), ids[0]!);
  const { matchLabels } = (workload['spec'] as { selector?: { matchLabels?: object } } | undefined)?.selector ?? {};
  if (workload.metadata.namespace !== namespace)
    throw invalid(sort, `must be in namespace "${namespace}"`, 'InvalidReference');
  if (!matchLabels) throw invalid(sort, 'has no labels that its pods are found by', 'InvalidReference');
  return { clusterIp: 'None', selector: matchLabels };
}

/** The name of another record inside of the cluster; it must be there, for the caller. */
async function hostOf(request: ApiRequest, id: string): Promise<string> {
  const [namespace = '', name = '', ...more] = id.split(':');
  if (!name || more.length > 0) throw notFound('dnsRecord', id);
  await asCaller(request).get<Resource>(services, name, { namespace });
  return `${name}.${namespace}.svc.cluster.local`;
}

function requireAddresses(all: readonly unknown[]): void {
  if (all.length > maxAddresses) throw invalid('ipAddresses', `must be at most ${maxAddresses}`, 'MaxLimitExceeded');
  const bad = all.find(one => typeof one !== 'string' || isIP(one) === 0);
  if (bad !== undefined) throw invalid('ipAddresses', `"${String(bad)}" is no IP address`, 'InvalidFormat');
}

/** As the caller: not everybody who makes services may say which addresses they lead to. The cluster takes them away with the service. */
async function putAddresses(request: ApiRequest, service: LiveObject, ips: readonly string[]): Promise<void> {
  const { name, namespace, uid } = service.metadata;
  const { port: number, ...rest } = port;
  const object = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace, ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid }] },
    subsets: [{ addresses: ips.map(ip => ({ ip })), ports: [{ ...rest, port: number }] }],
  } as unknown as Resource;
  const client = asCaller(request);
  try {
    await client.create(endpoints, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await client.update(endpoints, object);
  }
}
