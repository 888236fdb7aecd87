/** Content addresses, as OCI writes them: `sha256:` and 64 hex digits. */
import { createHash } from 'node:crypto';

export type Digest = `sha256:${string}`;

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The hex digits alone: the name of the blob's file. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
