/** Ports that a cluster needs: who listens on which, and who has to reach whom. */
import type { ClusterSpec, NodeSpec, Role } from '../config/spec.ts';

export interface NeededPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly what: string;
  /** Roles of hosts that must reach it from elsewhere; none: its own host alone. */
  readonly from: readonly Role[];
}

const everybody: readonly Role[] = ['etcd', 'controlplane', 'worker'];

/** Of a host with these roles. */
export function portsOf(roles: readonly Role[], spec: ClusterSpec): NeededPort[] {
  const tcp = (port: number, what: string, from: readonly Role[] = []): NeededPort => ({
    port,
    protocol: 'tcp',
    what,
    from,
  });
  return [
    ...(roles.includes('etcd')
      ? [tcp(2379, 'etcd', ['controlplane', 'etcd']), tcp(2380, 'etcd between members', ['etcd'])]
      : []),
    ...(roles.includes('controlplane')
      ? [tcp(6443, 'kube-apiserver', everybody), tcp(10257, 'kube-controller-manager'), tcp(10259, 'kube-scheduler')]
      : []),
    tcp(10250, 'kubelet', ['controlplane']),
    tcp(10248, 'health of kubelet'),
    tcp(10256, 'health of kube-proxy'),
    tcp(6444, 'way to all control planes'),
    ...(spec.network.plugin === 'vxlan'
      ? [{ port: spec.network.vxlanPort, protocol: 'udp', what: 'pod network', from: everybody } as const]
      : []),
  ];
}

export interface Way {
  readonly from: NodeSpec;
  readonly to: NodeSpec;
  readonly port: NeededPort;
}

/** Every way between two hosts that has to be open. */
export function waysBetween(spec: ClusterSpec): Way[] {
  return spec.nodes.flatMap(to =>
    portsOf(to.roles, spec).flatMap(port =>
      spec.nodes
        .filter(from => from !== to && from.roles.some(role => port.from.includes(role)))
        .map(from => ({ from, to, port })),
    ),
  );
}
