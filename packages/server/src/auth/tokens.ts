/**
 * Tokens: issued, taken back, purged. A bearer is `name:key`; only a hash of the key is kept, so the bearer exists once,
 * in the answer to whoever asked for it.
 */
import type { Token } from '@drover/api';
import { forbidden, hashKey, ignoreNotFound, invalid, isDnsSubdomain, makeKey, notFound, Secret } from '@drover/base';
import { controller } from '../resources/index.ts';
import { type AuthDeps, nowOf } from './deps.ts';
import { endOf, hashedAnnotation, kindLabel, lifeMs, type TokenKind, userIdLabel } from './token-life.ts';

export interface TokenRequest {
  readonly userId: string;
  readonly kind: TokenKind;
  readonly description?: string;
  /** Asked for by the client: see lifeMs for what becomes of it. */
  readonly ttlMs?: number;
  /** Makes the token good for this cluster's paths alone. */
  readonly clusterId?: string;
  readonly authProvider?: string;
  readonly userPrincipal?: string;
  /** Begins the name; five random characters follow. */
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Makes a token; throws NotFound for a user that is not there, Forbidden for one that is disabled. */
export async function issueToken(
  deps: AuthDeps,
  request: TokenRequest,
): Promise<{ readonly resource: Token; readonly bearer: Secret }> {
  const { userId, kind, clusterId } = request;
  const user = deps.caches.user.get(userId) ?? (await deps.resources.get('user', userId));
  if (user.metadata.deletionTimestamp) throw notFound('user', userId);
  if (user.enabled === false) throw forbidden(`user ${userId} is disabled`);
  if (clusterId !== undefined && !isDnsSubdomain(clusterId)) throw invalid('clusterId', 'must be the id of a cluster');
  const now = nowOf(deps);
  const ttl = lifeMs(deps.settings, kind, request.ttlMs);
  const key = makeKey();
  const resource = await deps.resources.create('token', {
    metadata: {
      generateName: request.generateName ?? (kind === 'kubeconfig' ? `kubeconfig-${userId}` : 'token-'),
      labels: { ...request.labels, [userIdLabel]: userId, ...(kind === 'derived' ? {} : { [kindLabel]: kind }) },
      annotations: { [hashedAnnotation]: 'true' },
    },
    token: hashKey(key),
    userId,
    userPrincipal: request.userPrincipal ?? `local://${userId}`,
    authProvider: request.authProvider ?? 'local',
    ...(request.description === undefined ? {} : { description: request.description }),
    ...(clusterId === undefined ? {} : { clusterName: clusterId }),
    ttl,
    expiresAt: ttl === 0 ? '' : new Date(now + ttl).toISOString(),
    enabled: true,
    isDerived: kind !== 'session',
  });
  deps.caches.token.observe(resource);
  return { resource, bearer: new Secret(`${resource.metadata.name}:${key}`) };
}

/** Ends the token at once on this server, and on every other within its watch's delay. One that is gone is fine. */
export async function revokeToken(deps: AuthDeps, name: string): Promise<void> {
  await ignoreNotFound(deps.resources.delete('token', { name }));
}

/** Tokens stay readable this long after their end, so that a client can be told that it is over rather than unknown. */
const keepMs = 60 * 60_000;
const longestTimerMs = 2 ** 31 - 1;

/** Deletes tokens an hour after their end. */
export const tokenPurge = controller({
  name: 'token-purge',
  for: 'token',
  async reconcile(token, { resources }) {
    const end = endOf(token);
    if (end === Number.POSITIVE_INFINITY) return undefined;
    const leftMs = end + keepMs - Date.now();
    if (leftMs > 0) return { after: Math.min(leftMs, longestTimerMs) };
    await ignoreNotFound(resources.delete('token', { name: token.metadata.name, uid: token.metadata.uid }));
    return undefined;
  },
});
