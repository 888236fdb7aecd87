/** The kubeconfig that leads to a cluster through this server, in the shape that tools of this ecosystem write. */
import type { Secret } from '@drover/base';

export interface ProxyKubeconfig {
  /** Of cluster, user and context alike. */
  readonly name: string;
  readonly server: string;
  /** PEM; empty where the system's roots vouch for the server. */
  readonly ca: string;
  readonly token: Secret;
}

/** Every value goes in as a JSON string, which is a YAML one too: no name can break out of its place. */
export function proxyKubeconfig({ name, server, ca, token }: ProxyKubeconfig): string {
  const q = (text: string) => JSON.stringify(text);
  const authority = ca ? `\n    certificate-authority-data: ${q(Buffer.from(ca).toString('base64'))}` : '';
  return `apiVersion: v1
kind: Config
clusters:
- name: ${q(name)}
  cluster:
    server: ${q(server)}${authority}

users:
- name: ${q(name)}
  user:
    token: ${q(token.reveal())}

contexts:
- name: ${q(name)}
  context:
    user: ${q(name)}
    cluster: ${q(name)}

current-context: ${q(name)}
`;
}
