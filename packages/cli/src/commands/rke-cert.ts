/** rke cert rotate: new certificates by the same authorities; components start anew in the order that keeps a cluster alive. */
import { invalid } from '@drover/base';
import { type RkeFlags, up } from './rke.ts';

export interface RotateFlags extends RkeFlags {
  readonly service?: readonly string[];
}

/** By the original's words for them. */
const certificatesOf: Readonly<Record<string, RegExp>> = {
  etcd: /^kube-etcd-(?!ca$)|^kube-apiserver-etcd-client$/,
  kubelet: /^kube-(node|kubelet)-|^kube-apiserver-kubelet-client$/,
  'kube-apiserver': /^kube-apiserver(-proxy-client)?$/,
  'kube-controller-manager': /^kube-controller-manager$/,
  'kube-scheduler': /^kube-scheduler$/,
  'kube-proxy': /^(kube-proxy|drover-network)$/,
};

/** Without a service: all of them. What the cluster's authorities are stays; so does the key that signs for service accounts. */
export async function rotate(flags: RotateFlags): Promise<void> {
  const { service = Object.keys(certificatesOf) } = flags;
  const patterns = service.map(name => {
    const pattern = certificatesOf[name];
    if (!pattern) throw invalid('--service', `${name} is none of ${Object.keys(certificatesOf).join(', ')}`);
    return pattern;
  });
  const all = flags.service === undefined;
  await up(flags, name => patterns.some(pattern => pattern.test(name)) || (all && name === 'kube-admin'));
}
