/** A kubeconfig with its certificates inside, as JSON, which is YAML too: for our own processes, kubectl and tests. */
import type { CertPair } from '../pki/certificate.ts';

export interface KubeconfigOptions {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly user: string;
  readonly identity: CertPair;
}

/** The file's text; it holds a private key and belongs into a file for its owner alone. */
export function certKubeconfig(options: KubeconfigOptions): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { user, identity } = options;
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'local', cluster: { server: options.server, 'certificate-authority-data': base64(options.ca) } },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(identity.cert),
          'client-key-data': base64(identity.key.reveal()),
        },
      },
    ],
    contexts: [{ name: 'local', context: { cluster: 'local', user } }],
    'current-context': 'local',
  };
  return `${JSON.stringify(kubeconfig, undefined, 2)}\n`;
}
