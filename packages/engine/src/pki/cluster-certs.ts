/**
 * All certificates of a cluster under the names that RKE gave them, in memory: what is there and still does is kept, the rest is
 * issued. Differs from the original where that was unsafe: each kubelet has a name of its own, and etcd and the front proxy trust
 * authorities that sign nobody else.
 */
import { isIP } from 'node:net';
import { invalid, type Secret } from '@drover/base';
import type { ClusterSpec, NodeSpec } from '../config/spec.ts';
import { type CertPair, type CertRequest, issueCert, makeCa, makeKey } from './certificate.ts';
import { renewalReason } from './check.ts';

/** By name, e.g. `kube-ca`, `kube-apiserver`, `kube-etcd-10-0-0-1`. */
export type Certificates = Readonly<Record<string, CertPair>>;

export const authorities = ['kube-ca', 'kube-etcd-ca', 'kube-apiserver-requestheader-ca'] as const;
type Authority = (typeof authorities)[number];

/** Signs what service accounts carry; a key alone, kept for as long as the cluster lives. */
export const serviceAccountKey = 'kube-service-account-token';

const authorityDays = 3650;
const leafDays = 365;

/** One of the cluster's authorities, new. */
export const makeAuthority = (name: string): Promise<CertPair> => makeCa(name, { days: authorityDays });

/** `10.0.0.1` as it stands in a certificate's name. */
export const dashed = (address: string): string => address.replaceAll(/[.:]/g, '-');

export const etcdCertName = (node: NodeSpec): string => `kube-etcd-${dashed(node.internalAddress)}`;
export const nodeCertName = (node: NodeSpec): string => `kube-node-${dashed(node.internalAddress)}`;
export const kubeletCertName = (node: NodeSpec): string => `kube-kubelet-${dashed(node.internalAddress)}`;

interface Wanted extends CertRequest {
  readonly by: Authority;
}

/** The first usable address of a range, which the `kubernetes` service has. IPv4. */
export function firstAddress(cidr: string): string {
  const [address = ''] = cidr.split('/');
  const parts = address.split('.').map(Number);
  parts[3] = (parts[3] ?? 0) + 1;
  return parts.join('.');
}

/** What has to be there for this cluster, by name. */
export function wantedCertificates(spec: ClusterSpec): Readonly<Record<string, Wanted>> {
  const wanted: Record<string, Wanted> = {};
  const client = (name: string, commonName: string, organizations?: string[]) => {
    wanted[name] = { by: 'kube-ca', commonName, organizations, usages: ['client'] };
  };
  const controls = spec.nodes.filter(({ roles }) => roles.includes('controlplane'));
  wanted['kube-apiserver'] = {
    by: 'kube-ca',
    commonName: 'kube-apiserver',
    usages: ['server'],
    ...namesOf([
      ...controls.flatMap(namesOfNode),
      ...spec.apiserver.sans,
      ...['127.0.0.1', '::1', 'localhost', firstAddress(spec.apiserver.serviceCidr)],
      ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      `kubernetes.default.svc.${spec.kubelet.clusterDomain}`,
    ]),
  };
  // What it says of itself to kubelets: bound to no more than their own API by an object of the cluster.
  client('kube-apiserver-kubelet-client', 'kube-apiserver');
  client('kube-controller-manager', 'system:kube-controller-manager');
  client('kube-scheduler', 'system:kube-scheduler');
  client('kube-proxy', 'system:kube-proxy');
  client('kube-admin', 'kube-admin', ['system:masters']);
  client('drover-network', 'system:drover:network');
  wanted['kube-apiserver-proxy-client'] = {
    by: 'kube-apiserver-requestheader-ca',
    commonName: 'kube-apiserver-proxy-client',
    usages: ['client'],
  };
  wanted['kube-apiserver-etcd-client'] = { by: 'kube-etcd-ca', commonName: 'kube-apiserver', usages: ['client'] };
  for (const node of spec.nodes) {
    client(nodeCertName(node), `system:node:${node.name}`, ['system:nodes']);
    wanted[kubeletCertName(node)] = {
      by: 'kube-ca',
      commonName: `system:node:${node.name}`,
      organizations: ['system:nodes'],
      usages: ['server'],
      ...namesOf(namesOfNode(node)),
    };
    if (!node.roles.includes('etcd')) continue;
    wanted[etcdCertName(node)] = {
      by: 'kube-etcd-ca',
      commonName: 'kube-etcd',
      usages: ['server', 'client'],
      ...namesOf([...namesOfNode(node), 'localhost', '127.0.0.1', '::1']),
    };
  }
  return wanted;
}

/** Everything that is wanted; `issued` names what is new or was made anew, with the reason. */
export async function completeCertificates(
  spec: ClusterSpec,
  kept: Certificates,
  options: { readonly renew?: (name: string) => boolean; readonly now?: Date } = {},
): Promise<{ certificates: Certificates; issued: Readonly<Record<string, string>> }> {
  const { renew = () => false, now } = options;
  const issued: Record<string, string> = {};
  const all: Record<string, CertPair> = {};
  for (const name of authorities) {
    const before = kept[name];
    if (!before) issued[name] = 'new';
    all[name] = before ?? (await makeAuthority(name));
  }
  all[serviceAccountKey] = kept[serviceAccountKey] ?? { cert: '', key: makeKey() };
  for (const [name, { by, ...request }] of Object.entries(wantedCertificates(spec))) {
    const ca = all[by]!;
    const before = kept[name];
    const reason = reasonFor(before, { ca, request, asked: renew(name), now });
    if (ca.key.reveal() === '' && !before)
      throw invalid('certificates', `there is no ${name}, and no key of ${by} to sign it: bring it (--custom-certs)`);
    // Who has others sign them renews them himself.
    if (before && (reason === undefined || ca.key.reveal() === '')) {
      all[name] = before;
      continue;
    }
    issued[name] = reason ?? 'new';
    all[name] = await issueCert(ca, { days: leafDays, ...request });
  }
  return { certificates: all, issued };
}

/** Those that a run would issue anew by itself, each with the reason; what the cluster can't sign itself is not among them. */
export function dueCertificates(
  spec: ClusterSpec,
  kept: Certificates,
  now: Date = new Date(),
): Readonly<Record<string, string>> {
  const due: Record<string, string> = {};
  for (const [name, { by, ...request }] of Object.entries(wantedCertificates(spec))) {
    const [before, ca] = [kept[name], kept[by]];
    if (!before || !ca || ca.key.reveal() === '') continue;
    const reason = reasonFor(before, { ca, request, asked: false, now });
    if (reason !== undefined) due[name] = reason;
  }
  return due;
}

function reasonFor(
  before: CertPair | undefined,
  options: { ca: CertPair; request: CertRequest; asked: boolean; now: Date | undefined },
): string | undefined {
  if (!before) return 'new';
  if (options.asked) return 'asked for';
  return renewalReason(before.cert, before.key, { ca: options.ca.cert, request: options.request, now: options.now });
}

function namesOfNode({ address, internalAddress, name }: NodeSpec): string[] {
  return [address, internalAddress, name];
}

function namesOf(names: readonly string[]): { dnsNames: string[]; ips: string[] } {
  const unique = [...new Set(names)];
  return { dnsNames: unique.filter(name => isIP(name) === 0), ips: unique.filter(name => isIP(name) !== 0) };
}

/** The private half, for files that only its owner reads. */
export const keyText = (pair: { readonly key: Secret }): string => pair.key.reveal();
