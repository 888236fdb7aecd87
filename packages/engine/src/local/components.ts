/**
 * The four processes of the local cluster and their flags. Everything listens on one address, loopback unless nodes have to
 * reach it; only the kube-apiserver is ever on another.
 */
import { join } from 'node:path';
import type { Binaries } from '../binaries/find.ts';
import type { BinaryName } from '../binaries/names.ts';
import type { Ports } from './ports.ts';

export interface Layout {
  readonly binaries: Binaries;
  readonly ports: Ports;
  /** Where the kube-apiserver listens. */
  readonly address: string;
  readonly dataDir: string;
  readonly pkiDir: string;
  /** Where nodes reach it. */
  readonly advertise: string;
  /** Set when real nodes join: their pods' addresses. */
  readonly podCidr?: string;
}

export interface Component {
  readonly name: BinaryName;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What answers 200 when it is well. */
  readonly healthUrl: string;
}

export const serviceCidr = '10.43.0.0/16';
export const serviceAddress = '10.43.0.1';
const loopback = '127.0.0.1';

export function etcdComponent(layout: Layout): Component {
  const client = `https://${loopback}:${layout.ports.etcd}`;
  const peer = `https://${loopback}:${layout.ports.etcdPeer}`;
  const pki = (file: string) => join(layout.pkiDir, file);
  return component(layout, 'etcd', `${client}/health`, {
    name: 'local',
    'data-dir': join(layout.dataDir, 'etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `local=${peer}`,
    'client-cert-auth': 'true',
    'trusted-ca-file': pki('etcd-ca.crt'),
    'cert-file': pki('etcd.crt'),
    'key-file': pki('etcd.key'),
    'peer-client-cert-auth': 'true',
    'peer-trusted-ca-file': pki('etcd-ca.crt'),
    'peer-cert-file': pki('etcd.crt'),
    'peer-key-file': pki('etcd.key'),
    // The raft log is held in memory up to here; one member alone never needs it for a slow follower.
    'snapshot-count': '5000',
    'log-level': 'warn',
  });
}

export function apiserverComponent(layout: Layout): Component {
  const { address, advertise, ports, podCidr } = layout;
  const pki = (file: string) => join(layout.pkiDir, file);
  return component(layout, 'kube-apiserver', `https://${address}:${ports.apiserver}/readyz`, {
    'bind-address': address,
    'advertise-address': advertise,
    'secure-port': String(ports.apiserver),
    // A loopback address is refused as endpoint of the kubernetes service, which only nodes need.
    'endpoint-reconciler-type': podCidr === undefined ? 'none' : 'lease',
    'service-cluster-ip-range': serviceCidr,
    'etcd-servers': `https://${loopback}:${ports.etcd}`,
    'etcd-cafile': pki('etcd-ca.crt'),
    'etcd-certfile': pki('etcd-client.crt'),
    'etcd-keyfile': pki('etcd-client.key'),
    'tls-cert-file': pki('apiserver.crt'),
    'tls-private-key-file': pki('apiserver.key'),
    'client-ca-file': pki('ca.crt'),
    'kubelet-certificate-authority': pki('ca.crt'),
    'kubelet-client-certificate': pki('kubelet-client.crt'),
    'kubelet-client-key': pki('kubelet-client.key'),
    'kubelet-preferred-address-types': 'InternalIP,Hostname',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': pki('service-account.pub'),
    'service-account-signing-key-file': pki('service-account.key'),
    'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': pki('front-proxy-client.crt'),
    'proxy-client-key-file': pki('front-proxy-client.key'),
    // No kube-proxy where this runs: aggregated APIs are reached at their pods, not at a service address.
    'enable-aggregator-routing': 'true',
    'encryption-provider-config': pki('encryption.json'),
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'anonymous-auth': 'false',
    'allow-privileged': 'true',
    profiling: 'false',
  });
}

export function controllerManagerComponent(layout: Layout): Component {
  const { ports, podCidr } = layout;
  const pki = (file: string) => join(layout.pkiDir, file);
  const nodes: Record<string, string> =
    podCidr === undefined ? {} : { 'allocate-node-cidrs': 'true', 'cluster-cidr': podCidr };
  return component(layout, 'kube-controller-manager', `https://${loopback}:${ports.controllerManager}/healthz`, {
    ...controllerFlags(layout, 'controller-manager', ports.controllerManager),
    ...nodes,
    'service-cluster-ip-range': serviceCidr,
    'root-ca-file': pki('ca.crt'),
    'service-account-private-key-file': pki('service-account.key'),
    'use-service-account-credentials': 'true',
    'cluster-signing-cert-file': pki('ca.crt'),
    'cluster-signing-key-file': pki('ca.key'),
  });
}

export function schedulerComponent(layout: Layout): Component {
  const { ports } = layout;
  const flags = controllerFlags(layout, 'scheduler', ports.scheduler);
  return component(layout, 'kube-scheduler', `https://${loopback}:${ports.scheduler}/healthz`, flags);
}

function controllerFlags(layout: Layout, name: string, port: number): Record<string, string> {
  const kubeconfig = join(layout.pkiDir, `${name}.kubeconfig`);
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': loopback,
    'secure-port': String(port),
    'tls-cert-file': join(layout.pkiDir, `${name}-serving.crt`),
    'tls-private-key-file': join(layout.pkiDir, `${name}-serving.key`),
    // There is one of each: waiting for a lease would only delay a restart.
    'leader-elect': 'false',
    profiling: 'false',
  };
}

function component(layout: Layout, name: BinaryName, healthUrl: string, flags: Record<string, string>): Component {
  return {
    name,
    command: layout.binaries.path(name),
    args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    // A collection at half again instead of double: a third less memory for little CPU at this size.
    env: { PATH: process.env['PATH'], HOME: layout.dataDir, GOGC: '50' },
    healthUrl,
  };
}
