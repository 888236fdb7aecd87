/** What a client may say of a cluster's authorized endpoint: it ends in kubeconfigs that people use, so it has to be right. */
import { X509Certificate } from 'node:crypto';
import type { V3Data } from '@drover/api';
import { invalid } from '@drover/base';

const field = 'localClusterAuthEndpoint';
const name = /^(?=.{1,253}(?::|$))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(?::(\d{1,5}))?$/i;

/** Throws Invalid naming what is wrong and what would be right. */
export function checkEndpoint(input: V3Data): void {
  const given = input[field] as { fqdn?: unknown; caCerts?: unknown } | null | undefined;
  if (!given) return;
  const { fqdn, caCerts } = given;
  if (typeof fqdn === 'string' && fqdn !== '') {
    const match = name.exec(fqdn);
    if (!match || Number(match[4] ?? 443) > 65_535)
      throw invalid(
        `${field}.fqdn`,
        'must be a host with or without a port, such as kubernetes.example.com:6443',
        'InvalidFormat',
      );
  }
  if (typeof caCerts === 'string' && caCerts.trim() !== '' && !isCertificate(caCerts))
    throw invalid(`${field}.caCerts`, 'must be certificates in PEM', 'InvalidFormat');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
