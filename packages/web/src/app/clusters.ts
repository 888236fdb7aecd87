/** The clusters that somebody may reach, live, and what of each is shown. */
import { useQuery } from '@tanstack/react-query';
import {
  at,
  type Collection,
  type Condition,
  type KubeObject,
  listAt,
  type ObjectState,
  textAt,
} from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useLive } from '../net/use-live.ts';
import { parseQuantity } from '../parts/quantity.ts';

export interface Share {
  readonly used?: number;
  readonly requested?: number;
  readonly total: number;
}

export interface ClusterRow {
  readonly id: string;
  readonly name: string;
  readonly state: ObjectState;
  readonly version: string;
  readonly provider: string;
  readonly nodes: number;
  readonly cpu?: Share;
  readonly memory?: Share;
  readonly pods?: Share;
  readonly created?: string;
  readonly object: KubeObject;
}

export function clusterRow(object: KubeObject): ClusterRow {
  const { metadata, status } = object;
  return {
    id: metadata.name,
    name: textAt(object, 'spec.displayName') || metadata.name,
    state: stateOf(object),
    version: textAt(status, 'version.gitVersion'),
    provider: textAt(status, 'provider') || textAt(status, 'driver'),
    nodes: Number(at(status, 'nodeCount') ?? 0),
    cpu: shareOf(status, 'cpu'),
    memory: shareOf(status, 'memory'),
    pods: shareOf(status, 'pods'),
    created: metadata.creationTimestamp,
    object,
  };
}

/** What a cluster is doing while a condition of its is open. */
const steps: Readonly<Record<string, string>> = {
  Pending: 'pending',
  Provisioned: 'provisioning',
  Updated: 'updating',
  Upgraded: 'upgrading',
  Waiting: 'waiting',
};

/** As the cluster's list has it, but for one that only waits: it is not well before it has been there. */
function stateOf({ metadata, status }: KubeObject): ObjectState {
  const state = metadata.state ?? { name: 'unknown', error: false, transitioning: false, message: '' };
  const open = listAt<Condition>({ status }, 'status.conditions').find(
    one => one.status === 'Unknown' && steps[one.type] !== undefined,
  );
  if (state.error || !open) return state;
  return { name: steps[open.type]!, error: false, transitioning: true, message: open.message ?? '' };
}

function shareOf(status: unknown, name: string): Share | undefined {
  const total = parseQuantity(at(status, `allocatable.${name}`) ?? at(status, `capacity.${name}`));
  if (!total) return undefined;
  return {
    total,
    requested: parseQuantity(at(status, `requested.${name}`)) ?? 0,
    used: parseQuantity(at(status, `usage.${name}`)),
  };
}

/** Pinned ones first, then those where one was lately, the latest first, then by name. */
export function sortClusters(
  rows: readonly ClusterRow[],
  pinned: readonly string[],
  lately: readonly string[] = [],
): ClusterRow[] {
  const rank = ({ id }: ClusterRow): number => {
    if (pinned.includes(id)) return -1;
    const at = lately.indexOf(id);
    return at < 0 ? lately.length : at;
  };
  return [...rows].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}

const path = '/v1/management.cattle.io.clusters?exclude=metadata.managedFields';
const key = ['clusters'];

export function useClusters() {
  useLive('/v1', 'management.cattle.io.cluster', key);
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const { data, createTypes } = await ask<Collection>(path, { signal });
      return { rows: sortClusters(data.map(clusterRow), []), canCreate: createTypes !== undefined };
    },
  });
}
