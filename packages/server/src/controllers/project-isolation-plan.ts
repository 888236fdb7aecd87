/**
 * What isolates projects in a cluster: in each namespace of a project one NetworkPolicy, which lets in its own project, the System
 * project (ingress controllers and monitoring are there) and the nodes. Namespaces in no project, and System's, are left open.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ManagedNode } from '@drover/api';
import type { Resource } from '@drover/base';
import { projectKey } from './cluster-projects.ts';
import { isolationPart, marksOf } from './ours.ts';

export const isolationName = 'np-default';
/** More nodes than this would make policies that no cluster takes. */
const maxBlocks = 1000;

export interface NetworkPolicy extends Resource {
  readonly spec?: unknown;
}

export interface IsolationWanted {
  readonly clusterId: string;
  readonly installUuid: string;
  /** Name of the System project, where there is one. */
  readonly system: string | undefined;
  readonly namespaces: readonly Resource[];
  readonly nodes: readonly ManagedNode[];
}

export function planIsolation({ clusterId, installUuid, system, namespaces, nodes }: IsolationWanted): NetworkPolicy[] {
  const blocks = nodes.flatMap(blocksOf).sort().slice(0, maxBlocks);
  return namespaces.flatMap(({ metadata }) => {
    const [cluster, project] = metadata.annotations?.[projectKey]?.split(':') ?? [];
    if (cluster !== clusterId || !project || project === system || metadata.deletionTimestamp) return [];
    const values = system === undefined ? [project] : [project, system];
    const from = [
      { namespaceSelector: { matchExpressions: [{ key: projectKey, operator: 'In', values }] } },
      ...blocks.map(cidr => ({ ipBlock: { cidr } })),
    ];
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: {
        name: isolationName,
        namespace: metadata.name,
        labels: { ...marksOf(installUuid), ...isolationPart },
      },
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from }] },
    };
  });
}

/** A node's own addresses, and the first two of its pods' network, which its bridge and its tunnel have. */
function blocksOf({ spec, status }: ManagedNode): string[] {
  const cidr = (address: string) => `${address}/${address.includes(':') ? 128 : 32}`;
  const own = [status?.ipAddress ?? '', status?.externalIpAddress ?? ''].filter(isAddress);
  const ends = [spec?.podCidr ?? '', ...(spec?.podCidrs ?? [])].flatMap(network => {
    const [, start, last] = /^(\d+\.\d+\.\d+\.)(\d+)\/\d+$/.exec(network) ?? [];
    return start === undefined ? [] : [0, 1].map(more => `${start}${Number(last) + more}`);
  });
  return [...new Set([...own, ...ends])].map(cidr);
}

const isAddress = (text: string) => /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]+:[0-9a-f:]*)$/i.test(text);

/** Whether what is there already says what it should. */
export function isAsWanted(seen: NetworkPolicy | undefined, wanted: NetworkPolicy): boolean {
  return (
    seen !== undefined &&
    isDeepStrictEqual(seen.spec, wanted.spec) &&
    Object.entries(wanted.metadata.labels ?? {}).every(([key, value]) => seen.metadata.labels?.[key] === value)
  );
}
