/**
 * What the server keeps of a cluster's nodes, worked out from the cluster's own objects. Pure: nodes, pods and metrics
 * in; the resources that should be, and the cluster's sums, out.
 */
import { createHash } from 'node:crypto';
import type { Cluster, ManagedNode } from '@drover/api';
import type { Condition } from '@drover/base';
import {
  formatAmounts,
  type NodeMetrics,
  type NodeResource,
  type NodeUsage,
  nodeUsage,
  type PodFigures,
  sumUsage,
} from '@drover/kube';

/** The parts of a cluster's Node that are read. */
export interface KubeNode extends Omit<NodeResource, 'spec' | 'status'> {
  readonly spec?: {
    readonly podCIDR?: string;
    readonly podCIDRs?: readonly string[];
    readonly providerID?: string;
    readonly taints?: readonly unknown[];
    readonly unschedulable?: boolean;
  };
  readonly status?: {
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly (Condition & { readonly lastHeartbeatTime?: string })[];
    readonly nodeInfo?: Readonly<Record<string, string>>;
  };
}

export type NodeDraft = Pick<ManagedNode, 'metadata' | 'spec' | 'status'>;
export type ClusterFigures = Pick<
  NonNullable<Cluster['status']>,
  | 'capacity'
  | 'allocatable'
  | 'requested'
  | 'limits'
  | 'usage'
  | 'nodeCount'
  | 'linuxWorkerCount'
  | 'windowsWorkerCount'
  | 'componentStatuses'
>;

export interface Seen {
  readonly nodes: readonly KubeNode[];
  readonly podsOf: (nodeName: string) => readonly PodFigures[];
  readonly metricsOf: (nodeName: string) => NodeMetrics | undefined;
  readonly components?: ClusterFigures['componentStatuses'];
}

/** The name of a node's resource: the same node always has the same. */
export function managedNodeName(nodeName: string): string {
  return `m-${createHash('sha256').update(nodeName).digest('hex').slice(0, 12)}`;
}

export function planNodes(
  clusterId: string,
  seen: Seen,
): { readonly nodes: NodeDraft[]; readonly figures: ClusterFigures } {
  const usages: NodeUsage[] = [];
  const nodes = seen.nodes.map(node => {
    const { name } = node.metadata;
    const usage = nodeUsage(node as NodeResource, seen.podsOf(name), seen.metricsOf(name));
    usages.push(usage);
    return draftOf(clusterId, node, usage);
  });
  const workers = nodes.filter(node => node.spec?.worker);
  const windows = workers.filter(node => node.status?.nodeLabels?.['kubernetes.io/os'] === 'windows');
  return {
    nodes,
    figures: {
      ...formatted(sumUsage(usages)),
      nodeCount: nodes.length,
      linuxWorkerCount: workers.length - windows.length,
      windowsWorkerCount: windows.length,
      componentStatuses: seen.components,
    },
  };
}

function draftOf(clusterId: string, node: KubeNode, usage: NodeUsage): NodeDraft {
  const { name, labels = {}, annotations = {} } = node.metadata;
  const { spec = {}, status = {} } = node;
  const addressOf = (type: string) => status.addresses?.find(address => address.type === type)?.address;
  return {
    metadata: { name: managedNodeName(name), namespace: clusterId },
    spec: {
      clusterName: clusterId,
      imported: true,
      ...rolesOf(labels),
      podCidr: spec.podCIDR,
      podCidrs: spec.podCIDRs,
      providerId: spec.providerID,
      taints: spec.taints,
      unschedulable: spec.unschedulable ?? false,
    } as NonNullable<ManagedNode['spec']>,
    status: {
      nodeName: name,
      hostname: addressOf('Hostname') ?? name,
      ipAddress: addressOf('InternalIP'),
      externalIpAddress: addressOf('ExternalIP'),
      nodeLabels: labels,
      nodeAnnotations: annotations,
      info: infoOf(status),
      conditions: (status.conditions ?? []).map(({ type, status: state, reason, message, lastTransitionTime }) => ({
        type,
        status: state,
        reason,
        message,
        lastTransitionTime,
      })),
      ...formatted(usage),
    } as NonNullable<ManagedNode['status']>,
  };
}

function formatted({ capacity, allocatable, requested, limits, usage }: NodeUsage) {
  return {
    capacity: formatAmounts(capacity),
    allocatable: formatAmounts(allocatable),
    requested: formatAmounts(requested),
    limits: formatAmounts(limits),
    usage: usage && formatAmounts(usage),
  };
}

/** By the labels that distributions set; a node without any works. */
function rolesOf(labels: Readonly<Record<string, string>>) {
  const has = (...roles: string[]) => roles.some(role => `node-role.kubernetes.io/${role}` in labels);
  const controlPlane = has('controlplane', 'control-plane', 'master');
  const etcd = has('etcd');
  return { controlPlane, etcd, worker: has('worker') || (!controlPlane && !etcd) };
}

function infoOf({ nodeInfo = {}, capacity = {} }: NonNullable<KubeNode['status']>) {
  return {
    cpu: { count: Number(capacity['cpu'] ?? 0) },
    memory: { memTotalKiB: Number.parseInt(capacity['memory'] ?? '0', 10) },
    kubernetes: { kubeletVersion: nodeInfo['kubeletVersion'], kubeProxyVersion: nodeInfo['kubeProxyVersion'] },
    os: {
      containerRuntimeVersion: nodeInfo['containerRuntimeVersion'],
      kernelVersion: nodeInfo['kernelVersion'],
      operatingSystem: nodeInfo['osImage'],
    },
  };
}

/** Of a node only what is shown of it: without the images that it has, and without its heartbeats. */
export function slimNode({ apiVersion, kind, metadata, spec = {}, status = {} }: KubeNode): KubeNode {
  const { name, uid, resourceVersion, labels, annotations } = metadata;
  const { podCIDR, podCIDRs, providerID, taints, unschedulable } = spec;
  const { capacity, allocatable, addresses, conditions, nodeInfo } = status;
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion, labels, annotations },
    spec: { podCIDR, podCIDRs, providerID, taints, unschedulable },
    status: {
      capacity,
      allocatable,
      addresses,
      conditions: conditions?.map(({ lastHeartbeatTime: _, ...condition }) => condition),
      nodeInfo,
    },
  } as KubeNode;
}

/** Whether two values say the same, fields without a value left out. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(
            Object.entries(part)
              .filter(([, item]) => item !== undefined && item !== null)
              .sort(([x], [y]) => (x < y ? -1 : 1)),
          )
        : part,
    ) ?? ''
  );
}
