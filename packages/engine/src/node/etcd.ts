/**
 * etcd of one host. How a member first finds the others stands in a file of its own that is no input of the unit: it counts
 * for an empty data folder only, and a cluster that grows must not start its members anew for it.
 */

import type { NodeSpec } from '../config/spec.ts';
import { etcdCertName } from '../pki/cluster-certs.ts';
import { binDir, type HostInput, withExtras } from './host-input.ts';
import { certFile, etcDir, etcdDataDir, keyFile } from './paths.ts';
import { makeUnit, type Unit, type WantedFile } from './unit.ts';

export const etcdUnit = 'drover-etcd.service';
const joinFile = `${etcDir}/etcd-join.env`;

export const memberName = (node: NodeSpec): string => `etcd-${node.name}`;
export const peerUrl = (node: NodeSpec): string => `https://${node.internalAddress}:2380`;
export const clientUrl = (node: NodeSpec): string => `https://${node.internalAddress}:2379`;

/** How this member joins: with the others of a new cluster, or one that runs. */
export function etcdJoinFile(
  members: readonly { readonly name: string; readonly peerUrl: string }[],
  state: 'new' | 'existing',
): WantedFile {
  const cluster = members.map(member => `${member.name}=${member.peerUrl}`).join(',');
  const content = `ETCD_INITIAL_CLUSTER=${cluster}\nETCD_INITIAL_CLUSTER_STATE=${state}\n`;
  return { path: joinFile, content, mode: 0o600 };
}

export function etcdUnits(input: HostInput, files: readonly WantedFile[]): Unit[] {
  const { spec, node } = input;
  if (!node.roles.includes('etcd')) return [];
  const name = etcdCertName(node);
  const bin = binDir(input);
  const unit = makeUnit({
    name: etcdUnit,
    description: 'etcd, where Kubernetes keeps its objects',
    binDir: bin,
    command: `${bin}/etcd`,
    args: withExtras(
      {
        name: memberName(node),
        'data-dir': etcdDataDir,
        'listen-client-urls': `${clientUrl(node)},https://127.0.0.1:2379`,
        'advertise-client-urls': clientUrl(node),
        'listen-peer-urls': peerUrl(node),
        'initial-advertise-peer-urls': peerUrl(node),
        'initial-cluster-token': `etcd-cluster-${spec.name}`,
        'client-cert-auth': 'true',
        'trusted-ca-file': certFile('kube-etcd-ca'),
        'cert-file': certFile(name),
        'key-file': keyFile(name),
        'peer-client-cert-auth': 'true',
        'peer-trusted-ca-file': certFile('kube-etcd-ca'),
        'peer-cert-file': certFile(name),
        'peer-key-file': keyFile(name),
        'heartbeat-interval': '500',
        'election-timeout': '5000',
        'auto-compaction-retention': '0',
      },
      spec.etcd,
    ),
    env: spec.etcd.extraEnv,
    service: [`EnvironmentFile=${joinFile}`, 'Nice=-5'],
    files,
    health: { kind: 'etcd' },
  });
  return [unit];
}
