/** Where things lie on a host. Certificates and etcd's data are where RKE had them; the rest is under names of our own. */

export const sslDir = '/etc/kubernetes/ssl';
export const etcDir = '/etc/drover';
export const etcdDataDir = '/var/lib/etcd';
export const bundlesDir = '/opt/drover';
export const unitsDir = '/etc/systemd/system';
export const containerdSocket = '/run/drover/containerd.sock';
/** The label of images that no registry may have: the kubelet leaves them where they are when its disk runs full. */
export const pinnedLabel = 'io.cri-containerd.pinned=pinned';
/** Those that have it, as `ctr images list` takes it. */
export const pinnedFilter = 'labels."io.cri-containerd.pinned"==pinned';
/** Every component of a node asks the control planes here, whichever of them are up. */
export const balancerAddress = '127.0.0.1:6444';
/** Where what enforces network policies says whether it is well; and its rules in nftables. */
export const networkPolicyPort = 10246;
export const policyTable = 'ip drover-network-policy';
export const unitPrefix = 'drover-';

export const certFile = (name: string): string => `${sslDir}/${name}.pem`;
export const keyFile = (name: string): string => `${sslDir}/${name}-key.pem`;
export const kubeconfigFile = (name: string): string => `${sslDir}/kubecfg-${name}.yaml`;
/** Of the authority that signs what the cluster itself is asked to sign. */
export const signerFile: string = certFile('kube-ca-signer');

/** The folder of one bundle; two of one content are the same one. */
export const bundleDir = (id: string): string => `${bundlesDir}/${id.slice(0, 12)}`;
