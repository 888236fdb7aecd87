/** Ports that a cluster needs: who listens on which, and from where it is reached. */
import type { ClusterSpec, Role } from '../config/spec.ts';
import { networkPolicyPort } from '../node/paths.ts';

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
    ...(spec.network.policy ? [tcp(networkPolicyPort, 'health of network policies')] : []),
    ...(spec.network.plugin === 'vxlan'
      ? [{ port: spec.network.vxlanPort, protocol: 'udp', what: 'pod network', from: everybody } as const]
      : []),
  ];
}
