/**
 * Whom to trust: the chain that a server shows, and the CA in it that a fingerprint names. Nothing is ever sent to a server
 * before its CA is known by one of the two.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import { badRequest, invalid } from '@drover/base';
import { explainNetwork } from './network-errors.ts';
import { dialTls } from './way.ts';

export interface SeenChain {
  /** Leaf first. */
  readonly certificates: readonly X509Certificate[];
  /** Whether the CA given, else the system's roots, vouch for it under the name asked for. */
  readonly trusted: boolean;
  /** Why not, as OpenSSL's or Node's code. */
  readonly problem?: string;
}

/** Looks at the server's chain without sending it anything; `ca` stands in for the system's roots. */
export async function seeChain(url: string, options: { ca?: string; timeoutMs?: number } = {}): Promise<SeenChain> {
  // The chain is only read here; whether it is trusted is decided by whoever reads it, before anything is sent.
  const socket = await dialTls(url, { ...options, unverified: true }).catch(cause => {
    throw badRequest(explainNetwork(url, cause), cause);
  });
  const certificates = chainOf(socket.getPeerCertificate(true));
  const problem = socket.authorizationError?.toString();
  socket.destroy();
  return { certificates, trusted: problem === undefined, problem };
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
