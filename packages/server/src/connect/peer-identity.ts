/**
 * What a replica is known by among those on the same store: a certificate that it makes for itself at each start and
 * registers there. Whoever can't write to the store can't be one, and the key never leaves the process.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Secret } from '@drover/base';
import { issueCert, makeCa } from '@drover/engine';
import type { TlsOptions } from '@drover/tunnel';

export interface PeerIdentity {
  readonly cert: string;
  readonly key: Secret;
  /** PEM of the CA that issued the certificate and nothing else; its key is gone. */
  readonly ca: string;
  /** SHA-256 of the certificate, as `AB:CD:…`. */
  readonly fingerprint: string;
}

/** How a replica is registered, as JSON. */
export interface Registration {
  readonly id: string;
  /** `https://host:port` of its listener for peers. */
  readonly url: string;
  readonly ca: string;
  readonly fingerprint: string;
}

/** It lives as long as the process, however long that is. */
const days = 3650;

export async function makePeerIdentity(id: string): Promise<PeerIdentity> {
  const ca = await makeCa(`drover replica ${id}`, { days });
  const pair = await issueCert(ca, { commonName: id, dnsNames: [id], usages: ['server', 'client'], days });
  return { cert: pair.cert, key: pair.key, ca: ca.cert, fingerprint: new X509Certificate(pair.cert).fingerprint256 };
}

/** Undefined for what no replica of this version has written. */
export function parseRegistration(text: string): Registration | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { id, url, ca, fingerprint } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || typeof url !== 'string' || typeof ca !== 'string') return undefined;
  if (typeof fingerprint !== 'string' || !/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(fingerprint)) return undefined;
  return URL.canParse(url) && new URL(url).protocol === 'https:' ? { id, url, ca, fingerprint } : undefined;
}

/** For dialling: shows our certificate and takes no other than the registered one, whatever name or address it stands for. */
export function tlsTowards(own: PeerIdentity, peer: Registration): TlsOptions {
  return {
    ca: peer.ca,
    cert: own.cert,
    key: own.key.reveal(),
    checkServerIdentity: (_host, { raw }) =>
      fingerprintOf(raw) === peer.fingerprint
        ? undefined
        : new Error('this is not the replica that is registered there'),
  };
}

/** SHA-256 of a certificate in DER, as `AB:CD:…`. */
export function fingerprintOf(der: Buffer): string {
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return hex.match(/../g)!.join(':');
}

/** The address that other machines can reach us at when we listen everywhere: the first that is not loopback. */
export function reachableHost(listenHost: string): string {
  if (listenHost !== '0.0.0.0' && listenHost !== '::') return listenHost;
  const all = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const found = outside.find(({ family }) => family === 'IPv4') ?? outside[0];
  return found?.address ?? 'localhost';
}
