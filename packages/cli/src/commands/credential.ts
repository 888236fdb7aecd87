/**
 * credential: what kubectl runs to get a token for one cluster. Short-lived, scoped to that cluster, kept in a private
 * cache until shortly before it ends.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writePrivate } from '../config.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';

interface CachedToken {
  readonly token: string;
  readonly expiresAt: string;
}

const ttlMs = 3_600_000;
/** A token that ends sooner than this is not handed out any more: the request it is for may take a while. */
const marginMs = 300_000;

/** A token for the cluster that lasts at least five minutes more. */
export async function clusterToken(context: Context, clusterId: string): Promise<CachedToken> {
  const path = cachePath(context, clusterId);
  const cached = await readCached(path);
  if (cached && Date.parse(cached.expiresAt) - Date.now() > marginMs) return cached;
  const body = { type: 'token', description: `kubectl, ${clusterId}`, ttl: ttlMs, clusterId };
  const made = await context.client.create('tokens', body);
  const expiresAt = (made['expiresAt'] as string) || new Date(Date.now() + ttlMs).toISOString();
  const fresh = { token: String(made['token']), expiresAt };
  await writePrivate(path, JSON.stringify(fresh));
  return fresh;
}

/** One file per server, sign-in and cluster: a new sign-in never hands out what an old one fetched. */
function cachePath(context: Context, clusterId: string): string {
  const name = createHash('sha256')
    .update([context.server.url, context.server.token, clusterId].join('\n'))
    .digest('hex')
    .slice(0, 32);
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drover', 'tokens', `${name}.json`);
}

async function readCached(path: string): Promise<CachedToken | undefined> {
  try {
    const { token, expiresAt } = JSON.parse(await readFile(path, 'utf8')) as Partial<CachedToken>;
    return token && expiresAt ? { token, expiresAt } : undefined;
  } catch {
    // A missing or damaged cache only costs a new token.
    return undefined;
  }
}

/** Prints an ExecCredential, as kubectl's exec plugins do. */
export async function credential(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const clusterId = flags.cluster ?? (await findCluster(context, undefined)).id;
  const { token, expiresAt } = await clusterToken(context, clusterId);
  const answer = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token, expirationTimestamp: expiresAt },
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
