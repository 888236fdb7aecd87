/**
 * The server's own certificate: issued by a CA of ours that is kept in the data directory, or the one given by flags. Looked
 * at again while the server runs, so that it is renewed, or a replaced file is taken up, without a restart.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, rootCertificates } from 'node:tls';
import { invalid, type Log, messageOf, Secret, sleep } from '@drover/base';
import { type CertPair, ensureCa, ensureCert, fingerprint } from '@drover/engine';

export interface ServerTls {
  /** PEM, with the chain. */
  readonly cert: string;
  readonly key: Secret;
  /** The CA that clients must be told of, PEM; empty where the given certificate's chain ends at a public CA. */
  readonly cacerts: string;
  /** SHA-256 of that CA, lower-case hex; empty where there is none to tell of. */
  readonly fingerprint: string;
}

export interface TlsOptions {
  readonly dataDir: string;
  readonly listen: { readonly host: string };
  readonly serverUrl?: string;
  /** Files given by flags. */
  readonly tls: { readonly cert?: string; readonly key?: string };
}

/** Throws Invalid naming the flag and file, and what is wrong with it. */
export async function openTls(options: TlsOptions): Promise<ServerTls> {
  const { cert, key } = options.tls;
  return cert && key ? readGiven(cert, key) : ownCertificate(options);
}

/**
 * Looks again every `everyMs` and tells of a certificate that is another than before, until the signal aborts. One that
 * can't be used is logged with its reason, and what is being served stays.
 */
export async function watchTls(
  options: TlsOptions,
  current: ServerTls,
  watch: { onChange: (tls: ServerTls) => void; log: Log; signal: AbortSignal; everyMs?: number },
): Promise<void> {
  const { onChange, log, signal, everyMs = 10_000 } = watch;
  let last = current;
  let lastError = '';
  let lastFiles = await filesOf(options);
  for (;;) {
    await sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const files = await filesOf(options);
      if (files !== undefined && files === lastFiles) continue;
      const next = await openTls(options);
      lastFiles = files;
      lastError = '';
      if (next.cert === last.cert && next.key.reveal() === last.key.reveal()) continue;
      last = next;
      onChange(next);
      log.info({ until: new X509Certificate(next.cert).validTo }, 'serving a new certificate');
    } catch (error) {
      if (messageOf(error) !== lastError) log.error({ reason: messageOf(error) }, 'the new certificate is not usable');
      lastError = messageOf(error);
    }
  }
}

/** The given files' texts, to see a change before anything is parsed; undefined for a certificate of our own. */
async function filesOf({ tls }: TlsOptions): Promise<string | undefined> {
  if (!tls.cert || !tls.key) return undefined;
  return (await readPem('--tls-cert', tls.cert)) + (await readPem('--tls-key', tls.key));
}

async function ownCertificate(options: TlsOptions): Promise<ServerTls> {
  const dir = join(options.dataDir, 'tls');
  const ca = await ensureCa(dir, 'ca', 'drover-ca');
  const pair: CertPair = await ensureCert(dir, 'server', {
    ca,
    request: { commonName: 'drover', usages: ['server'], ...alternativeNames(options) },
  });
  return { cert: pair.cert + ca.cert, key: pair.key, cacerts: ca.cert, fingerprint: fingerprint(ca.cert) };
}

/** Every name by which somebody may call this server. */
export function alternativeNames(options: Pick<TlsOptions, 'listen' | 'serverUrl'>): {
  dnsNames: string[];
  ips: string[];
} {
  const names = new Set(['localhost', '127.0.0.1', '::1']);
  const { host } = options.listen;
  if (host && host !== '0.0.0.0' && host !== '::') names.add(host.toLowerCase());
  if (options.serverUrl) names.add(new URL(options.serverUrl).hostname.replace(/^\[|\]$/g, '').toLowerCase());
  const own = hostname().toLowerCase();
  // A machine may be named in ways that no certificate can hold.
  if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(own)) names.add(own);
  const all = [...names];
  return { dnsNames: all.filter(name => isIP(name) === 0), ips: all.filter(name => isIP(name) !== 0) };
}

async function readGiven(certFile: string, keyFile: string): Promise<ServerTls> {
  const [cert, key] = await Promise.all([readPem('--tls-cert', certFile), readPem('--tls-key', keyFile)]);
  const chain = parseChain(certFile, cert);
  const leaf = chain[0]!;
  requireKey(leaf, { key, keyFile, certFile });
  const now = Date.now();
  if (leaf.validToDate.getTime() <= now)
    throw invalid('--tls-cert', `${certFile} ended on ${leaf.validToDate.toISOString()}; renew it`);
  if (leaf.validFromDate.getTime() > now)
    throw invalid('--tls-cert', `${certFile} is not valid before ${leaf.validFromDate.toISOString()}; check the clock`);
  requireOrder(certFile, chain);
  const last = chain.at(-1)!;
  // A private CA that is not in the file can't be told of: clients then need it from elsewhere.
  const cacerts = isSelfSigned(last) && !isPublic(last) ? last.toString() : '';
  return { cert, key: new Secret(key), cacerts, fingerprint: cacerts && fingerprint(cacerts) };
}

async function readPem(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(flag, `can't read ${file}: ${messageOf(error)}`);
  }
}

function parseChain(file: string, pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw invalid('--tls-cert', `${file} holds no PEM certificate`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw invalid('--tls-cert', `certificate ${index + 1} of ${file} does not parse: ${messageOf(error)}`);
    }
  });
}

function requireKey(leaf: X509Certificate, given: { key: string; keyFile: string; certFile: string }): void {
  const { key, keyFile, certFile } = given;
  let parsed: ReturnType<typeof createPrivateKey>;
  try {
    parsed = createPrivateKey(key);
  } catch {
    const hint = /ENCRYPTED/.test(key) ? 'is protected by a passphrase; take it off' : 'holds no private key in PEM';
    throw invalid('--tls-key', `${keyFile} ${hint}`);
  }
  if (!leaf.checkPrivateKey(parsed))
    throw invalid('--tls-key', `${keyFile} is not the key of the first certificate in ${certFile}`);
  try {
    createSecureContext({ cert: leaf.toString(), key });
  } catch (error) {
    throw invalid('--tls-cert', `${certFile} can't be served: ${messageOf(error)}`);
  }
}

/** Each certificate must be issued by the next: clients don't put a chain in order. */
function requireOrder(file: string, chain: readonly X509Certificate[]): void {
  for (const [index, cert] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer && !cert.checkIssued(issuer)) {
      throw invalid(
        '--tls-cert',
        `certificate ${index + 1} of ${file} is not issued by the one after it; put the server's own first, then its chain`,
      );
    }
  }
}

function isSelfSigned(cert: X509Certificate): boolean {
  return cert.checkIssued(cert);
}

/** Whether it is, or is issued by, a CA that programs trust of themselves. */
function isPublic(cert: X509Certificate): boolean {
  return rootCertificates.some(pem => {
    const root = new X509Certificate(pem);
    return root.fingerprint256 === cert.fingerprint256 || (cert.checkIssued(root) && cert.verify(root.publicKey));
  });
}
