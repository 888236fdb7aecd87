/**
 * Whom to trust: the chain that a server shows, and the CA in it that a fingerprint names. Nothing is ever sent to a server
 * before its CA is known by one of the two.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { badRequest, invalid } from '@drover/base';
import { explainNetwork } from './network-errors.ts';

export interface SeenChain {
  /** Leaf first. */
  readonly certificates: readonly X509Certificate[];
  /** Whether the system's roots vouch for it under the name asked for. */
  readonly trusted: boolean;
  /** Why not, in OpenSSL's words. */
  readonly problem?: string;
}

/** Looks at the server's chain without sending it anything. */
export function seeChain(url: string, timeoutMs = 10_000): Promise<SeenChain> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(badRequest(explainNetwork(url, cause), cause));
    const options = { host, port: Number(port || 443), servername: /^[\d.]+$|:/.test(host) ? '' : host };
    // The chain is only read here; whether it is trusted is decided by whoever reads it, before anything is sent.
    const socket: TLSSocket = connect({ ...options, rejectUnauthorized: false, timeout: timeoutMs }, () => {
      const certificates = chainOf(socket.getPeerCertificate(true));
      const problem = socket.authorizationError?.toString();
      socket.destroy();
      resolve({ certificates, trusted: problem === undefined, problem });
    });
    socket.on('error', fail);
    socket.on('timeout', () => {
      socket.destroy();
      fail(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let seen: DetailedPeerCertificate | undefined = leaf; seen?.raw; seen = seen.issuerCertificate) {
    const certificate = new X509Certificate(seen.raw);
    if (chain.some(other => other.fingerprint256 === certificate.fingerprint256)) break;
    chain.push(certificate);
  }
  return chain;
}

/** The SHA-256 of the certificate, 64 hex digits. */
export function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** Colons, spaces, case and a `sha256:` in front make no difference; throws Invalid for anything but 64 hex digits. */
export function parseFingerprint(text: string): string {
  const hex = text
    .toLowerCase()
    .replace(/^sha-?256[:=]/, '')
    .replace(/[:\s]/g, '');
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw invalid('--ca-fingerprint', 'must be a SHA-256 fingerprint: 64 hexadecimal digits');
  return hex;
}

/** The PEM of the certificate in the chain that the fingerprint names, if the rest of the chain really leads to it. */
export function findTrusted(chain: readonly X509Certificate[], fingerprint: string): string | undefined {
  const index = chain.findIndex(certificate => fingerprintOf(certificate) === fingerprint);
  if (index < 0) return undefined;
  for (let i = 0; i < index; i++) {
    if (!chain[i]!.checkIssued(chain[i + 1]!) || !chain[i]!.verify(chain[i + 1]!.publicKey)) return undefined;
  }
  return chain[index]!.toString();
}
