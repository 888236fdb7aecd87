/** The configuration files of a node on a machine of our own, as pure functions of what differs. */

export interface KubeletConfigOptions {
  readonly address: string;
  readonly socket: string;
  readonly cgroupRoot: string;
  readonly clientCaFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The address that pods ask for names, and the domain that is the cluster's. */
  readonly dns?: { readonly server: string; readonly domain: string };
}

export function kubeletConfig(options: KubeletConfigOptions): Record<string, unknown> {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: options.address,
    healthzBindAddress: options.address,
    containerRuntimeEndpoint: `unix://${options.socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: options.cgroupRoot,
    enforceNodeAllocatable: ['pods'],
    failSwapOn: false,
    failCgroupV1: false,
    // Lets what needs CAP_SYS_RESOURCE (sysctls, oom_score_adj) fail without ending the kubelet.
    featureGates: { KubeletInUserNamespace: true },
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: options.clientCaFile },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: options.certFile,
    tlsPrivateKeyFile: options.keyFile,
    ...(options.dns ? { clusterDNS: [options.dns.server], clusterDomain: options.dns.domain } : {}),
    // No pod has a way to the machine's nameservers.
    resolvConf: '',
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    nodeStatusUpdateFrequency: '4s',
  };
}

export function kubeProxyConfig(options: {
  kubeconfig: string;
  hostname: string;
  clusterCidr: string;
  address: string;
}): Record<string, unknown> {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: options.kubeconfig },
    hostnameOverride: options.hostname,
    clusterCIDR: options.clusterCidr,
    healthzBindAddress: `${options.address}:10256`,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    // Answers between two pods of one bridge would otherwise pass the translation by: br_netfilter isn't everywhere.
    iptables: { masqueradeAll: true, minSyncPeriod: '100ms' },
  };
}

export function cniConfig(podCidr: string): Record<string, unknown> {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
          // Gone with the machine, as the pods are that had them.
          dataDir: '/run/pod-addresses',
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}
