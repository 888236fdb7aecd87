/** Labels, annotations and taints that a node shall have: by its roles, and as its owner set them. Others' stay. */
import type { NodeSpec } from '../config/spec.ts';
import type { SeenNode } from './seen.ts';

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** Remembers which labels and taints were set here, so that those taken out of the file go and nobody else's. */
const keptAnnotation = 'drover.io/node-settings';

export interface NodeSettings {
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
}

export function wantedSettings(node: NodeSpec, seen: SeenNode): NodeSettings {
  const before = remembered(seen);
  const roles = Object.fromEntries(node.roles.map(role => [`node-role.kubernetes.io/${role}`, 'true']));
  const labels = { ...roles, ...node.labels };
  const taints = [...roleTaints(node), ...node.taints];
  const gone = before.labels.filter(key => !(key in labels));
  const own = new Set([...before.taints, ...taints.map(taintId)]);
  return {
    labels: { ...Object.fromEntries(gone.map(key => [key, null])), ...labels },
    annotations: {
      'rke.cattle.io/internal-ip': node.internalAddress,
      'rke.cattle.io/external-ip': node.address,
      [keptAnnotation]: JSON.stringify({ labels: Object.keys(labels), taints: taints.map(taintId) }),
    },
    taints: [...seen.taints.filter(taint => !own.has(taintId(taint))), ...taints],
  };
}

export function needsNodeSettings(node: NodeSpec, seen: SeenNode): boolean {
  const { labels, annotations, taints } = wantedSettings(node, seen);
  const has = (map: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string | null>>) =>
    Object.entries(wanted).every(([key, value]) => (value === null ? !(key in map) : map[key] === value));
  if (!has(seen.labels, labels) || !has(seen.annotations, annotations)) return true;
  const full = (taint: Taint) => `${taintId(taint)}=${taint.value ?? ''}`;
  const there = new Set(seen.taints.map(full));
  return taints.length !== there.size || !taints.every(taint => there.has(full(taint)));
}

/** Nodes without the worker role take no workloads; as in the original. */
export function roleTaints({ roles }: NodeSpec): Taint[] {
  if (roles.includes('worker')) return [];
  return [
    ...(roles.includes('etcd') ? [{ key: 'node-role.kubernetes.io/etcd', value: 'true', effect: 'NoExecute' }] : []),
    ...(roles.includes('controlplane')
      ? [{ key: 'node-role.kubernetes.io/controlplane', value: 'true', effect: 'NoSchedule' }]
      : []),
  ];
}

const taintId = ({ key, effect }: Taint): string => `${key}:${effect}`;

function remembered({ annotations }: SeenNode): { labels: string[]; taints: string[] } {
  try {
    const { labels = [], taints = [] } = JSON.parse(annotations[keptAnnotation] ?? '{}') as Partial<{
      labels: string[];
      taints: string[];
    }>;
    return { labels, taints };
  } catch {
    // Somebody wrote something else there: nothing is known to be ours.
    return { labels: [], taints: [] };
  }
}
