/** Where snapshots lie on a host, and how etcdctl is let in there. */
import type { NodeSpec } from '../config/spec.ts';
import { certFile, keyFile } from '../node/paths.ts';
import { etcdCertName } from '../pki/cluster-certs.ts';

/** Where the original has them, too. */
export const snapshotsDir = '/opt/rke/etcd-snapshots';

export function clientFlags(node: NodeSpec): string[] {
  const name = etcdCertName(node);
  return [
    '--endpoints=https://127.0.0.1:2379',
    `--cacert=${certFile('kube-etcd-ca')}`,
    `--cert=${certFile(name)}`,
    `--key=${keyFile(name)}`,
  ];
}
