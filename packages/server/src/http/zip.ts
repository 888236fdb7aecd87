/** Compression of whole answers, for who takes it: quick rather than small. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const compress = promisify(gzip);

export function takesGzip({ headers }: IncomingMessage): boolean {
  return /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
}

export function gzipped(body: Buffer): Promise<Buffer> {
  return compress(body, { level: constants.Z_BEST_SPEED });
}
