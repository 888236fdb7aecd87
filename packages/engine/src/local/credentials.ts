/**
 * Everything secret of the local cluster, made on first start and kept: three authorities (a client certificate that the
 * cluster signs for a user must open neither etcd nor the front proxy's door), what they issue, and the key of Secrets at rest.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import type { CertPair, CertRequest } from '../pki/certificate.ts';
import { ensureCa, ensureCert, ensureKeyPair } from '../pki/store.ts';

export interface Credentials {
  readonly dir: string;
  readonly ca: CertPair;
  readonly etcdCa: CertPair;
  readonly admin: CertPair;
  readonly controllerManager: CertPair;
  readonly scheduler: CertPair;
  readonly etcdClient: CertPair;
}

export interface CredentialsOptions {
  /** Where the kube-apiserver is reached. */
  readonly address: string;
  /** The `kubernetes` service's own. */
  readonly serviceAddress: string;
}

const days = 1095;
const loopback = ['127.0.0.1', '::1'];
const apiNames = ['kubernetes', 'default', 'svc', 'cluster', 'local'];

/** All certificates and keys as files in `dir`; what is there and still does is kept. */
export async function ensureCredentials(dir: string, options: CredentialsOptions): Promise<Credentials> {
  const [ca, etcdCa, frontProxyCa] = await Promise.all([
    ensureCa(dir, 'ca', 'drover-local-ca'),
    ensureCa(dir, 'etcd-ca', 'drover-local-etcd-ca'),
    ensureCa(dir, 'front-proxy-ca', 'drover-local-front-proxy-ca'),
    ensureKeyPair(dir, 'service-account'),
    ensureEncryption(join(dir, 'encryption.json')),
  ]);
  const issue = (name: string, from: CertPair, request: CertRequest) =>
    ensureCert(dir, name, { ca: from, request: { days, ...request } });
  const client = (name: string, commonName: string, organizations?: string[]) =>
    issue(name, ca, { commonName, organizations, usages: ['client'] });
  const serving = (name: string) =>
    issue(name, ca, { commonName: name, dnsNames: ['localhost'], ips: loopback, usages: ['server'] });

  const [admin, controllerManager, scheduler, etcdClient] = await Promise.all([
    client('admin', 'drover-admin', ['system:masters']),
    client('controller-manager', 'system:kube-controller-manager'),
    client('scheduler', 'system:kube-scheduler'),
    issue('etcd-client', etcdCa, { commonName: 'kube-apiserver', usages: ['client'] }),
    issue('etcd', etcdCa, { commonName: 'etcd', dnsNames: ['localhost'], ips: loopback, usages: ['server', 'client'] }),
    issue('front-proxy-client', frontProxyCa, { commonName: 'front-proxy-client', usages: ['client'] }),
    client('kubelet-client', 'kube-apiserver-kubelet-client', ['system:masters']),
    serving('controller-manager-serving'),
    serving('scheduler-serving'),
    issue('apiserver', ca, {
      commonName: 'kube-apiserver',
      dnsNames: ['localhost', ...[1, 2, 3, 5].map(parts => apiNames.slice(0, parts).join('.'))],
      ips: [...new Set([...loopback, options.address, options.serviceAddress])],
      usages: ['server'],
    }),
  ]);
  return { dir, ca, etcdCa, admin, controllerManager, scheduler, etcdClient };
}

async function ensureEncryption(path: string): Promise<void> {
  // A new key would make every Secret in etcd unreadable: one that is there is never replaced.
  if ((await readFileIfThere(path)) !== undefined) return;
  const key = { name: 'key1', secret: randomBytes(32).toString('base64') };
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ secretbox: { keys: [key] } }, { identity: {} }] }],
  };
  await writeFileAtomic(path, JSON.stringify(configuration));
}
