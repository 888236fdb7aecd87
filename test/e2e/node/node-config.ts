/** The configuration files of a node's parts, as pure functions of what differs. */

export function containerdConfig(options: {
  socket: string;
  cniBin: string;
  cniDir: string;
  pauseImage: string;
}): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "${options.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${options.pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${options.cniBin}"
    conf_dir = "${options.cniDir}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

export interface KubeletConfigOptions {
  readonly address: string;
  readonly socket: string;
  readonly cgroupRoot: string;
  readonly clientCaFile: string;
  readonly certFile: string;
  readonly keyFile: string;
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
    // There is no DNS in a test cluster.
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
}): Record<string, unknown> {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: options.kubeconfig },
    hostnameOverride: options.hostname,
    clusterCIDR: options.clusterCidr,
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
        ipam: { type: 'host-local', ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}
