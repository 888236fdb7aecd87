/**
 * The kubeconfig that leads to a cluster through this server, in the shape that tools of this ecosystem write; where the cluster has
 * an authorized endpoint, with contexts that lead straight to it.
 */
import type { Cluster, ManagedNode } from '@drover/api';
import type { Secret } from '@drover/base';

interface Place {
  /** Of cluster and context alike. */
  readonly name: string;
  readonly server: string;
  /** PEM; empty where the system's roots vouch for the server. */
  readonly ca: string;
}

export interface ProxyKubeconfig extends Place {
  readonly token: Secret;
  /** More ways to the same cluster, for the same token. */
  readonly direct?: readonly Place[];
}

/** Every value goes in as a JSON string, which is a YAML one too: no name can break out of its place. */
export function proxyKubeconfig({ token, direct = [], ...through }: ProxyKubeconfig): string {
  const q = (text: string) => JSON.stringify(text);
  const places = [through, ...direct];
  const cluster = ({ name, server, ca }: Place) => {
    const authority = ca ? `\n    certificate-authority-data: ${q(Buffer.from(ca).toString('base64'))}` : '';
    return `- name: ${q(name)}\n  cluster:\n    server: ${q(server)}${authority}\n`;
  };
  const context = ({ name }: Place) =>
    `- name: ${q(name)}\n  context:\n    user: ${q(through.name)}\n    cluster: ${q(name)}\n`;
  return `apiVersion: v1
kind: Config
clusters:
${places.map(cluster).join('')}
users:
- name: ${q(through.name)}
  user:
    token: ${q(token.reveal())}

contexts:
${places.map(context).join('')}
current-context: ${q(through.name)}
`;
}

/** The ways to a cluster's authorized endpoint: by its name before all of them, else to each control-plane node. */
export function directPlaces(name: string, cluster: Cluster, nodes: readonly ManagedNode[]): Place[] {
  const { enabled, fqdn, caCerts } = cluster.spec?.localClusterAuthEndpoint ?? {};
  if (!enabled) return [];
  const own = Buffer.from(cluster.status?.caCert ?? '', 'base64').toString('utf8');
  if (fqdn) return [{ name: `${name}-fqdn`, server: `https://${fqdn}`, ca: caCerts || own }];
  return nodes.flatMap(({ spec, status, metadata }) => {
    const address = status?.externalIpAddress || status?.ipAddress;
    if (!spec?.controlPlane || !address) return [];
    const host = address.includes(':') ? `[${address}]` : address;
    const node = spec.requestedHostname || status?.nodeName || metadata.name;
    return [{ name: node.startsWith(`${name}-`) ? node : `${name}-${node}`, server: `https://${host}:6443`, ca: own }];
  });
}
