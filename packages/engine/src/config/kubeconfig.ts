/**
 * `kube_config_<name>.yml`: the administrator's way in, with a context for each control plane, so that the loss of one is no more than
 * another word behind `--context`.
 */
import { writeFileAtomic } from '@drover/kube';
import { controlNodes } from '../node/host-input.ts';
import type { Certificates } from '../pki/cluster-certs.ts';
import type { ClusterSpec } from './spec.ts';

export async function writeAdminKubeconfig(path: string, spec: ClusterSpec, certificates: Certificates): Promise<void> {
  const { stringify } = await import('yaml');
  await writeFileAtomic(path, stringify(adminKubeconfig(spec, certificates), { lineWidth: 0 }));
}

/** The current context leads to the first control plane; `<cluster>-<node>` to each. */
export function adminKubeconfig(spec: ClusterSpec, certificates: Certificates): object {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const ca = base64(certificates['kube-ca']!.cert);
  const { cert, key } = certificates['kube-admin']!;
  const user = `kube-admin-${spec.name}`;
  const controls = controlNodes(spec);
  const ways = [
    { name: spec.name, address: controls[0]?.address ?? '127.0.0.1' },
    ...(controls.length > 1 ? controls.map(({ name, address }) => ({ name: `${spec.name}-${name}`, address })) : []),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: ways.map(({ name, address }) => ({
      name,
      cluster: { 'certificate-authority-data': ca, server: `https://${address}:6443` },
    })),
    users: [{ name: user, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key.reveal()) } }],
    contexts: ways.map(({ name }) => ({ name, context: { cluster: name, user } })),
    'current-context': spec.name,
  };
}
