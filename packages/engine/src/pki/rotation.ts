/**
 * New authorities for a cluster that runs: both are trusted, then the new ones sign, then the old ones go. Each phase is a state that
 * `up` can bring a cluster to from any other, so that a run that was killed is gone on with.
 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { type CertPair, makeKey, publicKeyOf } from './certificate.ts';
import { authorities, type Certificates, makeAuthority, serviceAccountKey } from './cluster-certs.ts';

export interface Rotation {
  /** `trust`: the old ones sign still; `issue`: the new ones sign; `drop`: the old ones are trusted no more. */
  readonly phase: 'trust' | 'issue' | 'drop';
  /** Trusted beside those that sign: the coming ones, then the going ones. */
  readonly others: Certificates;
}

/** Makes what comes; nobody trusts it yet. */
export async function beginRotation(): Promise<Rotation> {
  const pairs = await Promise.all(authorities.map(async name => [name, await makeAuthority(name)] as const));
  const others = { ...Object.fromEntries(pairs), [serviceAccountKey]: { cert: '', key: makeKey() } };
  return { phase: 'trust', others };
}

interface Rotating {
  readonly certificates: Certificates;
  readonly rotation?: Rotation;
}

/** The state after a phase has been reached on all hosts. */
export function nextPhase({ certificates, rotation }: Rotating): Rotating {
  switch (rotation?.phase) {
    case 'trust': {
      const going = Object.fromEntries(Object.keys(rotation.others).map(name => [name, certificates[name]!]));
      return { certificates: { ...certificates, ...rotation.others }, rotation: { phase: 'issue', others: going } };
    }
    case 'issue':
      return { certificates, rotation: { phase: 'drop', others: {} } };
    default:
      return { certificates };
  }
}

/**
 * Certificates as hosts get them: where an authority stands, all that are trusted stand, the signing one first; beside the key of
 * service accounts the public halves of others that are accepted.
 */
export function withTrusted({ certificates, rotation }: Rotating): Certificates {
  const both = Object.entries(rotation?.others ?? {}).map(([name, other]): [string, CertPair] => {
    const own = certificates[name]!;
    const cert = name === serviceAccountKey ? publicKeyOf(other.key) : `${own.cert}${other.cert}`;
    return [name, { ...own, cert }];
  });
  return { ...certificates, ...Object.fromEntries(both) };
}

/** The certificates in a text, each by itself. */
export function splitCertificates(pem: string): string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []).map(
    text => `${text.trim()}\n`,
  );
}

/** What Kubernetes writes as `kid` into tokens that this key signs. */
export function keyId({ key }: CertPair): string {
  const der = createPublicKey(key.reveal()).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

/** Authorities that end within a year, in words: nothing renews them but an exchange. */
export function endingAuthorities(certificates: Certificates, now: Date = new Date()): string[] {
  return authorities.flatMap(name => {
    const ends = new X509Certificate(certificates[name]!.cert).validToDate;
    const soon = ends.getTime() - now.getTime() < 365 * 86_400_000;
    return soon ? [`${name} ends ${ends.toISOString().slice(0, 10)}: exchange it (cert rotate --rotate-ca)`] : [];
  });
}

/** When each certificate ends, ISO 8601, by its name. */
export function certificateEnds(certificates: Certificates): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(certificates).flatMap(([name, { cert }]) =>
      cert === '' || name === serviceAccountKey ? [] : [[name, new X509Certificate(cert).validToDate.toISOString()]],
    ),
  );
}
