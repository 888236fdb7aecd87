/**
 * The token that opens /metrics to whoever watches this server: a file in the data directory that its owner can read. Being on
 * the same machine proves nothing: a proxy there passes everybody's requests on, and not every proxy says so.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { invalid, Secret } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';

const fileName = 'metrics.token';
const minLength = 20;

/** The token in the data directory, made where there is none; another one may be put there before a start. */
export async function openMetricsToken(dataDir: string): Promise<Secret> {
  const path = join(dataDir, fileName);
  const kept = (await readFileIfThere(path))?.trim();
  if (kept !== undefined) {
    if (kept.length < minLength || /[^\x21-\x7e]/.test(kept))
      throw invalid(
        '--data-dir',
        `${path} must hold a token of ${minLength} or more characters; remove it to get a new one`,
      );
    return new Secret(kept);
  }
  const made = randomBytes(32).toString('base64url');
  await writeFileAtomic(path, `${made}\n`);
  return new Secret(made);
}

/** Whether the request shows the token, told in a time that says nothing about it. */
export function showsToken(request: IncomingMessage, token: Secret): boolean {
  const shown = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (shown === undefined) return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(token.reveal()));
}
