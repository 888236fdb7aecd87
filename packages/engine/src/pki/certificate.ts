/**
 * Certificates: a CA of our own and what it issues, EC P-256, in PEM. Built by @peculiar/x509, which is loaded only when
 * something has to be issued: a start that finds its certificates on disk doesn't pay for it.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { invalid, Secret } from '@drover/base';
import type * as X509 from '@peculiar/x509';

/** A certificate and its private key, both PEM; the key is PKCS #8. */
export interface CertPair {
  readonly cert: string;
  readonly key: Secret;
}

export interface CertRequest {
  readonly commonName: string;
  /** Kubernetes reads these as groups in a client certificate. */
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  /** A peer's certificate (etcd) has both. */
  readonly usages: readonly ('server' | 'client')[];
  /** Default 365. Never outlives the CA. */
  readonly days?: number;
  /** Reissues for this key instead of making a new one. */
  readonly key?: Secret;
}

const dayMs = 86_400_000;
/** Clocks differ: what is issued is valid from this long ago. */
const backdateMs = 5 * 60_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A self-signed certificate authority, good for `days` (default ten years), that can sign leaves and nothing below. */
export async function makeCa(commonName: string, options: { days?: number; key?: Secret } = {}): Promise<CertPair> {
  const x509 = await loadX509();
  const key = options.key ?? makeKey();
  const keys = await importKeys(key);
  const now = Date.now();
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subject(x509, commonName, []),
    issuer: subject(x509, commonName, []),
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + (options.days ?? 3650) * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key };
}

/** Issues a leaf certificate. Throws Invalid naming a host name or address that can't stand in one. */
export async function issueCert(ca: CertPair, request: CertRequest): Promise<CertPair> {
  const names = alternativeNames(request);
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(ca.cert);
  const key = request.key ?? makeKey();
  const keys = await importKeys(key);
  const now = Date.now();
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subject(x509, request.commonName, request.organizations ?? []),
    issuer: issuer.subjectName,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(Math.min(now + (request.days ?? 365) * dayMs, issuer.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (await importKeys(ca.key)).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(extendedUsages(x509, request)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key };
}

/** A PKCS #10 request, PEM, for somebody else to sign. */
export async function requestCert(request: CertRequest & { readonly key: Secret }): Promise<string> {
  const names = alternativeNames(request);
  const x509 = await loadX509();
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject(x509, request.commonName, request.organizations ?? []),
    keys: await importKeys(request.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(extendedUsages(x509, request)),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return `${made.toString('pem')}\n`;
}

/** A new EC P-256 private key, PEM (PKCS #8). */
export function makeKey(): Secret {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** The public half of a private key, PEM (SPKI). */
export function publicKeyOf(key: Secret): string {
  return createPublicKey(key.reveal()).export({ type: 'spki', format: 'pem' }).toString();
}

/** SHA-256 over the certificate's DER, lower-case hex without colons; of the first one where the PEM holds several. */
export function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

async function loadX509(): Promise<typeof X509> {
  // Its dependency injection fails at import unless this is there first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  return x509;
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; the first octet is kept within 0x40–0x7f so that neither has to be looked at. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function subject(x509: typeof X509, commonName: string, organizations: readonly string[]): X509.Name {
  // The object form: a string would be parsed, and a name with "+O=system:masters" in it must stay a name.
  return new x509.Name([
    ...organizations.map(organization => ({ O: [{ utf8String: organization }] })),
    { CN: [{ utf8String: commonName }] },
  ]);
}

function extendedUsages(x509: typeof X509, { usages }: CertRequest): X509.ExtendedKeyUsage[] {
  return usages.map(usage =>
    usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
  );
}

function alternativeNames(request: CertRequest): { type: 'dns' | 'ip'; value: string }[] {
  const { dnsNames = [], ips = [] } = request;
  for (const name of dnsNames) {
    if (!/^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(name) || name.length > 253) {
      throw invalid('dnsNames', `${JSON.stringify(name)} is no host name`);
    }
  }
  for (const ip of ips) {
    if (isIP(ip) === 0) throw invalid('ips', `${JSON.stringify(ip)} is no IPv4 or IPv6 address`);
  }
  if (request.usages.includes('server') && dnsNames.length + ips.length === 0) {
    throw invalid('dnsNames', 'a server certificate needs a host name or an address to be checked against');
  }
  return [
    ...dnsNames.map(value => ({ type: 'dns', value }) as const),
    ...ips.map(value => ({ type: 'ip', value }) as const),
  ];
}

async function importKeys(key: Secret): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
  const der = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const { subtle } = webcrypto;
  const [privateKey, publicKey] = await Promise.all([
    subtle.importKey('pkcs8', der(key.reveal()), algorithm, false, ['sign']),
    subtle.importKey('spki', der(publicKeyOf(key)), algorithm, true, ['verify']),
  ]);
  return { privateKey: privateKey as CryptoKey, publicKey: publicKey as CryptoKey };
}
