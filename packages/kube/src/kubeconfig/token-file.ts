/**
 * Tokens in files that somebody else rotates: a kubelet for a pod's service account, an agent for a kubeconfig.
 */
import { readFile } from 'node:fs/promises';
import { Secret, unavailable } from '@drover/base';
import type { TokenSource } from '../connection.ts';

/** Reads the file again after `maxAgeMs` (client-go: one minute), and at once when its token was rejected. */
export function tokenFile(path: string, { maxAgeMs = 60_000, now = () => performance.now() } = {}): TokenSource {
  let token: Secret | undefined;
  let readAt = 0;
  return async ({ rejected } = {}) => {
    if (token && !rejected && now() - readAt < maxAgeMs) return token;
    try {
      const text = (await readFile(path, 'utf8')).trim();
      if (text === '') throw new Error('it is empty');
      token = new Secret(text);
      readAt = now();
    } catch (error) {
      // A file that is being replaced is no reason to fail while there is a token that may still do.
      if (!token) throw unavailable(`can't read the token in ${path}`, { cause: error });
    }
    return token;
  };
}
