/**
 * Whether a certificate on disk still does: issued by this CA, for this subject and these names, with this key, and not
 * near its end. Uses node:crypto only, so that a start with good certificates loads nothing else.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '@drover/base';
import type { CertRequest } from './certificate.ts';

/** Why the certificate has to be issued anew, in a few words, or undefined when it does as it is. */
export function renewalReason(
  cert: string,
  key: Secret,
  options: {
    ca?: string;
    request?: Pick<CertRequest, 'commonName' | 'organizations' | 'dnsNames' | 'ips'>;
    now?: Date;
  },
): string | undefined {
  const { ca, request, now = new Date() } = options;
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key.reveal()))) return 'its key is another one';
  } catch (error) {
    return `it does not parse (${(error as Error).message})`;
  }
  if (ca !== undefined) {
    const issuer = new X509Certificate(ca);
    if (!parsed.checkIssued(issuer) || !parsed.verify(issuer.publicKey)) return 'another CA issued it';
  }
  if (request) {
    const subject = [...(request.organizations ?? []).map(name => `O=${name}`), `CN=${request.commonName}`].join('\n');
    if (parsed.subject !== subject) return `its subject is ${parsed.subject.replaceAll('\n', ', ')}`;
    const missing = [
      ...(request.dnsNames ?? []).filter(name => !listsDnsName(parsed, name)),
      ...(request.ips ?? []).filter(ip => parsed.checkIP(ip) === undefined),
    ];
    if (missing.length > 0) return `it does not name ${missing.join(', ')}`;
  }
  const end = parsed.validToDate.getTime();
  const start = parsed.validFromDate.getTime();
  if (now.getTime() < start) return `it is valid from ${parsed.validFromDate.toISOString()} on`;
  // A third of its life before the end, as kubelet and cert-manager do.
  if (now.getTime() > end - (end - start) / 3) return `it ends ${parsed.validToDate.toISOString()}`;
  return undefined;
}

function listsDnsName(cert: X509Certificate, name: string): boolean {
  return (cert.subjectAltName ?? '').split(', ').includes(`DNS:${name}`);
}
