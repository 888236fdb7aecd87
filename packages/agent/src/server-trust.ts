/**
 * Which certificate authority the server must show. A pinned checksum is the whole of the trust: the bundle may be
 * fetched from anybody, because what does not hash to the pin is refused. Without a pin the system's roots decide.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { invalid, messageOf, type StatusError, unavailable } from '@drover/base';
import type { AgentConfig } from './config.ts';
import { getText } from './get-text.ts';

const maxBundleBytes = 1 << 20;

/** The CA bundle (PEM) to trust, or undefined for the system's roots. Throws saying what does not fit. */
export async function serverCa(
  config: Pick<AgentConfig, 'caFile' | 'caChecksum'>,
  server: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { caFile, caChecksum } = config;
  if (caFile === undefined && caChecksum === undefined) return undefined;
  const pem = caFile === undefined ? await fetchBundle(server, signal) : await readBundle(caFile);
  if (caChecksum !== undefined && checksumOf(pem) !== caChecksum) {
    throw refused(
      `the CA bundle of ${server} has the checksum ${checksumOf(pem)}, not the pinned ${caChecksum}: ` +
        'either the server got a new CA (apply its import manifest again) or this is not the server',
    );
  }
  parseBundle(pem, caFile ?? `the CA bundle of ${server}`);
  return pem;
}

/** SHA-256 of the bundle with exactly one line break at its end, as the servers of this protocol compute it. */
export function checksumOf(pem: string): string {
  return createHash('sha256')
    .update(pem.endsWith('\n') ? pem : `${pem}\n`)
    .digest('hex');
}

async function readBundle(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid('--ca-file', `can't read ${path}: ${messageOf(error)}`);
  }
}

function parseBundle(pem: string, source: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw refused(`${source} holds no certificate`);
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw refused(`${source} holds something that is no certificate: ${messageOf(error)}`);
    }
  }
}

/** Not verified here, on purpose: the caller compares what comes with the pin. Nothing else is ever asked this way. */
async function fetchBundle(server: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    const tls = { rejectUnauthorized: false };
    const { status, body } = await getText(`${server}/v3/settings/cacerts`, { tls, maxBytes: maxBundleBytes, signal });
    return bundleOf(status, body);
  } catch (error) {
    throw unavailable(`can't get the CA bundle of ${server}: ${messageOf(error)}`, { cause: error });
  }
}

function bundleOf(status: number, body: string): string {
  if (status !== 200) throw new Error(`it answered ${status}`);
  const { value } = JSON.parse(body) as { value?: unknown };
  if (typeof value !== 'string' || value === '') throw new Error('it has none, so nothing can be pinned');
  return `${value.trimEnd()}\n`;
}

function refused(message: string): StatusError {
  return unavailable(message);
}
