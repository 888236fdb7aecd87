/** Certificates, keys and kubeconfigs as files of a host: each host gets what its roles need and no key more. */

import { certKubeconfig } from '../local/kubeconfig.ts';
import type { CertPair } from '../pki/certificate.ts';
import { publicKeyOf } from '../pki/certificate.ts';
import { etcdCertName, keyText, kubeletCertName, nodeCertName, serviceAccountKey } from '../pki/cluster-certs.ts';
import { splitCertificates } from '../pki/rotation.ts';
import type { HostInput } from './host-input.ts';
import { balancerAddress, certFile, keyFile, kubeconfigFile, signerFile } from './paths.ts';
import type { WantedFile } from './unit.ts';

/** This host's files by their names, e.g. `kube-ca` or `kubecfg-kube-proxy`. */
export function certFiles(input: HostInput): WantedFile[] {
  const { node, certificates } = input;
  const pair = (name: string): CertPair => certificates[name]!;
  const files: WantedFile[] = [];
  const cert = (name: string) => files.push({ path: certFile(name), content: pair(name).cert, mode: 0o644 });
  const withKey = (name: string) => {
    cert(name);
    files.push({ path: keyFile(name), content: keyText(pair(name)), mode: 0o600 });
  };
  const kubeconfig = (name: string, user: string, server: string) => {
    const text = certKubeconfig({ server, ca: pair('kube-ca').cert, user, identity: pair(name) });
    files.push({ path: kubeconfigFile(name), content: text, mode: 0o600 });
  };
  const everywhere = `https://${balancerAddress}`;
  const here = 'https://127.0.0.1:6443';

  if (node.roles.includes('controlplane')) {
    for (const name of ['kube-ca', 'kube-apiserver', 'kube-apiserver-kubelet-client', 'kube-apiserver-proxy-client'])
      withKey(name);
    cert('kube-apiserver-requestheader-ca');
    cert('kube-etcd-ca');
    withKey('kube-apiserver-etcd-client');
    const signing = pair(serviceAccountKey).key;
    files.push({ path: keyFile(serviceAccountKey), content: signing.reveal(), mode: 0o600 });
    const accepted = `${publicKeyOf(signing)}${pair(serviceAccountKey).cert}`;
    files.push({ path: certFile(serviceAccountKey), content: accepted, mode: 0o644 });
    // Who signs has one certificate; what is trusted may be two for a while.
    files.push({ path: signerFile, content: splitCertificates(pair('kube-ca').cert)[0]!, mode: 0o644 });
    kubeconfig('kube-controller-manager', 'kube-controller-manager', here);
    kubeconfig('kube-scheduler', 'kube-scheduler', here);
  } else {
    cert('kube-ca');
  }
  if (node.roles.includes('etcd')) {
    if (!node.roles.includes('controlplane')) cert('kube-etcd-ca');
    withKey(etcdCertName(node));
  }
  withKey(kubeletCertName(node));
  kubeconfig(nodeCertName(node), `system:node:${node.name}`, everywhere);
  kubeconfig('kube-proxy', 'kube-proxy', everywhere);
  kubeconfig('drover-network', 'drover-network', everywhere);
  return files;
}
