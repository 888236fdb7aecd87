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

const compressed = new WeakMap<Buffer, Promise<Buffer>>();

/** The same for bytes that are sent to many: the same compressed ones for as long as somebody holds the others. */
export function gzippedOnce(body: Buffer): Promise<Buffer> {
  let bytes = compressed.get(body);
  if (!bytes) compressed.set(body, (bytes = gzipped(body)));
  return bytes;
}
