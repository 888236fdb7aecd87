/** The configuration of containerd, of pods' interfaces and of the network between nodes, as pure functions. */
import type { ClusterSpec } from '../config/spec.ts';

export interface ContainerdOptions {
  /** On the host. */
  readonly bundleDir: string;
  readonly socket: string;
  readonly pauseImage: string;
  readonly cgroupDriver: 'systemd' | 'cgroupfs';
  /** Where limits may not be raised. */
  readonly restrictOomScoreAdj: boolean;
  /** Where pods' network is set up by; default: the bundle's and the host's own. */
  readonly cni?: { readonly binDirs: readonly string[]; readonly confDir: string };
}

/** containerd's config.toml, version 3 (containerd 2.x). */
export function containerdConfig(options: ContainerdOptions): string {
  const { bundleDir, socket, pauseImage, cgroupDriver, restrictOomScoreAdj } = options;
  const { cni = { binDirs: [`${bundleDir}/cni`, '/opt/cni/bin'], confDir: '/etc/cni/net.d' } } = options;
  return `version = 3
root = "/var/lib/drover/containerd"
state = "/run/drover/containerd"

[grpc]
  address = "${socket}"

[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = ${restrictOomScoreAdj}
  restrict_oom_score_adj = ${restrictOomScoreAdj}
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = [${cni.binDirs.map(dir => `"${dir}"`).join(', ')}]
    conf_dir = "${cni.confDir}"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        BinaryName = "${bundleDir}/bin/runc"
        SystemdCgroup = ${cgroupDriver === 'systemd'}

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "${pauseImage}"
`;
}

/** What flanneld reads: the range of all pods and how packets get from node to node. */
export function flannelNetConf(spec: ClusterSpec): string {
  const { network, controllerManager } = spec;
  const mtu = network.mtu > 0 ? { MTU: network.mtu } : {};
  const backend = { Type: 'vxlan', VNI: network.vxlanVni, Port: network.vxlanPort, ...mtu };
  return `${JSON.stringify({ Network: controllerManager.clusterCidr, Backend: backend }, undefined, 2)}\n`;
}

export function flanneldArguments(options: {
  readonly kubeconfig: string;
  readonly netConf: string;
  /** Empty: the one with the node's own address. */
  readonly iface: string;
  readonly address: string;
}): string[] {
  const { kubeconfig, netConf, iface, address } = options;
  return [
    '--kube-subnet-mgr',
    `--kubeconfig-file=${kubeconfig}`,
    `--net-config-path=${netConf}`,
    '--ip-masq',
    iface === '' ? `--iface=${address}` : `--iface=${iface}`,
    '--healthz-ip=127.0.0.1',
    '--healthz-port=10255',
  ];
}

/**
 * Run once flanneld stands: pods' interfaces need to know the node's range and the size of packets, which only it knows. Written
 * last, since the kubelet calls a node ready once this file is there.
 */
export const cniScript = `#!/bin/sh
set -e
tries=0
until [ -s /run/flannel/subnet.env ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { echo "flanneld has no range of addresses yet" >&2; exit 1; }
  sleep 0.2
done
. /run/flannel/subnet.env
# It names the range by its first address: one before it is the network's.
first=\${FLANNEL_SUBNET%/*}
range="\${first%.*}.$((\${first##*.} - 1))/\${FLANNEL_SUBNET#*/}"
mkdir -p /etc/cni/net.d
part=/etc/cni/net.d/.10-drover.part
cat >"$part" <<CONF
{
  "cniVersion": "1.0.0",
  "name": "drover",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "cni0",
      "mtu": $FLANNEL_MTU,
      "isGateway": true,
      "isDefaultGateway": true,
      "hairpinMode": true,
      "ipMasq": false,
      "ipam": { "type": "host-local", "ranges": [[{ "subnet": "$range" }]], "routes": [{ "dst": "$FLANNEL_NETWORK" }] }
    },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
CONF
mv "$part" /etc/cni/net.d/10-drover.conflist
`;

export function kubeLbArguments(options: {
  readonly listen: string;
  readonly backends: readonly string[];
  readonly local: string | undefined;
  /** As whose user control planes are asked whether they are ready. */
  readonly kubeconfig: string;
}): string[] {
  const { listen, backends, local, kubeconfig } = options;
  return [
    `--listen=${listen}`,
    `--backends=${backends.join(',')}`,
    `--kubeconfig=${kubeconfig}`,
    ...(local ? [`--local=${local}`] : []),
  ];
}
