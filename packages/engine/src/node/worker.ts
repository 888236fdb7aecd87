/**
 * What every node runs: containerd, the balancer over all control planes, kubelet, kube-proxy, the pod network and its policies, each
 * a unit of its own. Nothing of it is a pod: a node can be brought up, and looked into, before the cluster answers.
 */

import {
  cniScript,
  containerdConfig,
  flanneldArguments,
  flannelNetConf,
  kubeLbArguments,
} from '../bundle/node-config.ts';
import { kubeletCertName, nodeCertName } from '../pki/cluster-certs.ts';
import { roleTaints } from '../plan/node-settings.ts';
import { binDir, controlNodes, type HostInput, jsonFile, withExtras } from './host-input.ts';
import {
  balancerAddress,
  bundleDir,
  certFile,
  containerdSocket,
  etcDir,
  keyFile,
  kubeconfigFile,
  networkPolicyPort,
  policyTable,
} from './paths.ts';
import { makeUnit, type Unit, type WantedFile } from './unit.ts';

const paths = {
  containerd: `${etcDir}/containerd.toml`,
  kubelet: `${etcDir}/kubelet.json`,
  kubeProxy: `${etcDir}/kube-proxy.json`,
  netConf: `${etcDir}/net-conf.json`,
  cni: `${etcDir}/write-cni`,
  sysctl: '/etc/sysctl.d/90-drover.conf',
  modules: '/etc/modules-load.d/drover.conf',
};

const hasNetwork = ({ spec }: HostInput): boolean => spec.network.plugin !== 'none';

export function workerFiles(input: HostInput): WantedFile[] {
  const { bundle, facts, spec } = input;
  const pause = bundle.images['pause']!;
  const text = (path: string, content: string): WantedFile => ({ path, content, mode: 0o644 });
  return [
    text(
      paths.containerd,
      containerdConfig({
        bundleDir: bundleDir(bundle.id),
        socket: containerdSocket,
        pauseImage: pause.name,
        cgroupDriver: cgroupDriver(input),
        restrictOomScoreAdj: !facts.canRaiseLimits,
      }),
    ),
    jsonFile(paths.kubelet, kubeletConfig(input)),
    jsonFile(paths.kubeProxy, kubeProxyConfig(input)),
    text(paths.sysctl, 'net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n'),
    text(paths.modules, 'overlay\nbr_netfilter\nvxlan\nnf_conntrack\n'),
    ...(hasNetwork(input)
      ? [text(paths.netConf, flannelNetConf(spec)), { path: paths.cni, content: cniScript, mode: 0o755 }]
      : []),
  ];
}

export function workerUnits(input: HostInput, all: readonly WantedFile[]): Unit[] {
  const { spec, node } = input;
  const bin = binDir(input);
  const units = [
    makeUnit({
      name: 'drover-containerd.service',
      description: 'Container runtime of Kubernetes',
      binDir: bin,
      command: `${bin}/containerd`,
      args: ['--config', paths.containerd],
      service: [
        // Modules and settings that nobody else may have loaded since this host was prepared.
        'ExecStartPre=-/bin/sh -c "modprobe -a overlay br_netfilter vxlan nf_conntrack; sysctl -q -p /etc/sysctl.d/90-drover.conf"',
        'Delegate=yes',
        // Pods outlive it.
        'KillMode=process',
      ],
      files: all,
      health: { kind: 'socket', path: containerdSocket },
    }),
    makeUnit({
      name: 'drover-kube-lb.service',
      description: 'Way to all control planes of Kubernetes',
      binDir: bin,
      command: `${bin}/kube-lb`,
      args: kubeLbArguments({
        listen: balancerAddress,
        backends: controlNodes(spec).map(({ internalAddress }) => `${internalAddress}:6443`),
        local: node.roles.includes('controlplane') ? `${node.internalAddress}:6443` : undefined,
        kubeconfig: kubeconfigFile(nodeCertName(node)),
      }),
    }),
    makeUnit({
      name: 'drover-kubelet.service',
      description: 'Kubernetes node agent',
      binDir: bin,
      command: `${bin}/kubelet`,
      args: withExtras(
        {
          config: paths.kubelet,
          'hostname-override': node.name,
          kubeconfig: kubeconfigFile(nodeCertName(node)),
          'node-ip': node.internalAddress,
        },
        spec.kubelet,
      ),
      env: spec.kubelet.extraEnv,
      after: ['drover-containerd.service', 'drover-kube-lb.service'],
      service: ['KillMode=process', 'Delegate=yes'],
      files: all,
      health: { kind: 'http', port: 10248, path: '/healthz' },
    }),
    makeUnit({
      name: 'drover-kube-proxy.service',
      description: 'Kubernetes service addresses on this node',
      binDir: bin,
      command: `${bin}/kube-proxy`,
      args: withExtras({ config: paths.kubeProxy }, spec.kubeProxy),
      env: spec.kubeProxy.extraEnv,
      after: ['drover-kube-lb.service'],
      files: all,
      health: { kind: 'http', port: 10256, path: '/livez' },
    }),
  ];
  if (!hasNetwork(input)) return units;
  const kubeconfig = kubeconfigFile('drover-network');
  units.push(
    makeUnit({
      name: 'drover-flannel.service',
      description: 'Network of pods between nodes',
      binDir: bin,
      command: `${bin}/flanneld`,
      args: flanneldArguments({
        kubeconfig,
        netConf: paths.netConf,
        iface: spec.network.interface,
        address: node.internalAddress,
      }),
      env: [`NODE_NAME=${node.name}`],
      after: ['drover-kubelet.service'],
      service: [
        `ExecStartPost=${paths.cni}`,
        'ExecStartPre=-/bin/rm -f /run/flannel/subnet.env',
        'TimeoutStartSec=180',
      ],
      files: all,
    }),
  );
  if (spec.network.policy) units.push(networkPolicy(input, { kubeconfig, files: all }));
  return units;
}

function networkPolicy(
  input: HostInput,
  { kubeconfig, files }: { kubeconfig: string; files: readonly WantedFile[] },
): Unit {
  const bin = binDir(input);
  return makeUnit({
    name: 'drover-network-policy.service',
    description: 'Network policies of the pods on this node',
    binDir: bin,
    command: `${bin}/network-policy`,
    args: [`--node=${input.node.name}`, `--kubeconfig=${kubeconfig}`, `--listen=127.0.0.1:${networkPolicyPort}`],
    after: ['drover-kube-lb.service'],
    service: [
      // Started anew, it finds the rules in force; taken away for good, it takes them along.
      `ExecStopPost=-/bin/sh -c "systemctl is-enabled --quiet drover-network-policy || nft delete table ${policyTable}"`,
    ],
    files,
    health: { kind: 'http', port: networkPolicyPort, path: '/healthz' },
  });
}

const cgroupDriver = ({ facts }: HostInput): 'systemd' | 'cgroupfs' =>
  facts.cgroupVersion === 2 ? 'systemd' : 'cgroupfs';

function kubeletConfig(input: HostInput): Record<string, unknown> {
  const { spec, node, facts } = input;
  const taints = [...roleTaints(node), ...node.taints];
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '0.0.0.0',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certFile('kube-ca') },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: cgroupDriver(input),
    clusterDNS: [spec.kubelet.clusterDnsServer],
    clusterDomain: spec.kubelet.clusterDomain,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    failSwapOn: spec.kubelet.failSwapOn,
    failCgroupV1: false,
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    readOnlyPort: 0,
    registerWithTaints: taints.length > 0 ? taints : undefined,
    // Pods without a nameserver of the host's keep what the cluster's DNS gives them.
    resolvConf: facts.nameservers.length > 0 ? facts.resolvConf : '',
    rotateCertificates: false,
    serverTLSBootstrap: false,
    streamingConnectionIdleTimeout: '30m0s',
    tlsCertFile: certFile(kubeletCertName(node)),
    tlsPrivateKeyFile: keyFile(kubeletCertName(node)),
    volumePluginDir: '/var/lib/kubelet/volumeplugins',
    // Lets what needs CAP_SYS_RESOURCE (sysctls, oom_score_adj) fail without ending the kubelet.
    ...(facts.canRaiseLimits ? {} : { featureGates: { KubeletInUserNamespace: true } }),
  };
}

function kubeProxyConfig({ spec, node, facts }: HostInput): Record<string, unknown> {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: kubeconfigFile('kube-proxy') },
    clusterCIDR: spec.controllerManager.clusterCidr,
    healthzBindAddress: '127.0.0.1:10256',
    hostnameOverride: node.name,
    metricsBindAddress: '127.0.0.1:10249',
    ...(facts.canRaiseLimits
      ? {}
      : { conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' } }),
    // Answers between two pods of one bridge would otherwise pass the translation by.
    ...(facts.bridgeNetfilter ? {} : { iptables: { masqueradeAll: true } }),
  };
}
