/** What the cluster says of itself: its version, nodes and what was applied. Undefined where no control plane answers. */
import { isNotFound, type Resource } from '@drover/base';
import { configMaps, type KubeClient, nodes } from '@drover/kube';
import { addonLabel, digestAnnotation } from './addon.ts';
import type { SeenCluster, SeenNode } from './seen.ts';

interface NodeObject extends Resource {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: SeenNode['taints'] };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly nodeInfo?: { readonly kubeletVersion?: string };
  };
}

/** Throws what the API server answered where it refuses; resolves to undefined where it can't be reached. */
export async function lookAtCluster(client: KubeClient, signal?: AbortSignal): Promise<SeenCluster> {
  const { gitVersion } = await client.version({ signal });
  const [found, maps] = await Promise.all([
    client.list<NodeObject>(nodes, { signal }),
    client.list(configMaps, { namespace: 'kube-system', labelSelector: addonLabel, signal }).catch(error => {
      // The namespace is made by the API server itself a moment after it answers.
      if (isNotFound(error)) return { items: [] };
      throw error;
    }),
  ]);
  return {
    version: gitVersion,
    nodes: found.items.map(toSeenNode),
    addons: Object.fromEntries(
      maps.items.map(({ metadata }) => [metadata.name, metadata.annotations?.[digestAnnotation] ?? '']),
    ),
  };
}

export function toSeenNode({ metadata, spec, status }: NodeObject): SeenNode {
  return {
    name: metadata.name,
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    schedulable: spec?.unschedulable !== true,
    kubeletVersion: status?.nodeInfo?.kubeletVersion ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    taints: spec?.taints ?? [],
  };
}
