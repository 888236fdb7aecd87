/**
 * What a release archive has to be, where none is pinned: by a file that somebody trusts, or by what the vendor publishes beside the
 * archive. The latter proves no more than that the vendor's server answered, so it is only taken where a person asked for a download.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { invalid, messageOf, unavailable } from '@drover/base';

export interface ChecksumOptions {
  /** Lines as sha256sum and sha512sum write them. */
  readonly file?: string;
  readonly signal?: AbortSignal;
}

/** `sha512:…` or `sha256:…` of the archive at `url`. */
export async function checksumOf(url: string, { file, signal }: ChecksumOptions): Promise<string> {
  if (file === undefined) return await publishedChecksum(url, signal);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw invalid('--checksums', `${file} can't be read: ${messageOf(error)}`);
  }
  const found = parseChecksums(text, file).get(basename(url));
  if (found === undefined) throw invalid('--checksums', `${file} has no line for ${basename(url)}`);
  return found;
}

/** By file name. Throws Invalid naming the line that is none. */
export function parseChecksums(text: string, file: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, sum = '', path = ''] = /^([0-9a-f]+) [ *](\S+)\r?$/.exec(line) ?? [];
    const algorithm = algorithmOf(sum);
    if (algorithm === undefined)
      throw invalid('--checksums', `line ${index + 1} of ${file} is none that sha256sum or sha512sum writes`);
    found.set(basename(path), `${algorithm}:${sum}`);
  }
  return found;
}

const algorithmOf = (sum: string): string | undefined =>
  (({ 64: 'sha256', 128: 'sha512' }) as Readonly<Record<number, string>>)[sum.length];

async function publishedChecksum(url: string, signal: AbortSignal | undefined): Promise<string> {
  const beside = `${url}.sha512`;
  const how = 'name a file with its checksum (--checksums)';
  let response: Response;
  try {
    response = await fetch(beside, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw unavailable(`${beside} can't be had: ${messageOf(error)}; ${how}`, { cause: error });
  }
  if (!response.ok) throw unavailable(`${beside} answered ${response.status}; ${how}`);
  const [sum = ''] = (await response.text()).trim().split(/\s/);
  if (!/^[0-9a-f]{128}$/.test(sum)) throw unavailable(`${beside} holds no SHA-512 sum; ${how}`);
  return `sha512:${sum}`;
}
