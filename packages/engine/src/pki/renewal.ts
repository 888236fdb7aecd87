/** Which certificates belong to which component, by the original's words for them. */
import { invalid } from '@drover/base';

const certificatesOf: Readonly<Record<string, RegExp>> = {
  etcd: /^kube-etcd-(?!ca$)|^kube-apiserver-etcd-client$/,
  kubelet: /^kube-(node|kubelet)-|^kube-apiserver-kubelet-client$/,
  'kube-apiserver': /^kube-apiserver(-proxy-client)?$/,
  'kube-controller-manager': /^kube-controller-manager$/,
  'kube-scheduler': /^kube-scheduler$/,
  'kube-proxy': /^(kube-proxy|drover-network)$/,
};

/**
 * For `up`: those of these components, or of all of them. What the cluster's authorities are stays, and so does the key that signs for
 * service accounts. Throws Invalid, naming `field`, for a component that there is not.
 */
export function renewalOf(services: readonly string[] | undefined, field: string): (name: string) => boolean {
  const patterns = (services ?? Object.keys(certificatesOf)).map(service => {
    const pattern = certificatesOf[service];
    if (!pattern) throw invalid(field, `${service} is none of ${Object.keys(certificatesOf).join(', ')}`);
    return pattern;
  });
  return name => patterns.some(pattern => pattern.test(name)) || (services === undefined && name === 'kube-admin');
}
