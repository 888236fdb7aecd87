/**
 * Registration tokens: what an agent shows when it dials in, and what the import manifest's address holds. The token
 * itself is kept as a Secret, encrypted at rest; the resource only says where, and until when it is good.
 */
import { createHash } from 'node:crypto';
import type { ClusterRegistrationToken, SecretResource } from '@drover/api';
import { randomName } from '@drover/base';
import type { Caches } from '../resources/index.ts';

/** What there is for a cluster without anybody asking for it. */
export const defaultTokenName = 'default-token';
const tokenLength = 54;
const digestIndex = 'registrationToken';
const minTtlMinutes = 30;
const minGraceMinutes = 10;

export interface TokenTimes {
  readonly ttlMs: number | undefined;
  readonly graceMs: number;
}

export const tokenSecretName = (crtName: string): string => `crt-token-${crtName}`;

/** Lets tokens be looked up by their digest: comparing digests in a map tells a guesser nothing by its time. */
export function indexRegistrationTokens(caches: Pick<Caches, 'secret'>): void {
  caches.secret.index(digestIndex, secret => {
    if (!secret.metadata.name.startsWith('crt-token-')) return [];
    const { token, previousToken } = secret.stringData ?? {};
    return [token && digestOf(token), previousToken && digestOf(previousToken)];
  });
}

/** The cluster that the token lets an agent register for; undefined when it is unknown or its time is over. */
export function findByToken(
  caches: Pick<Caches, 'secret'>,
  token: string,
  now: number,
): { readonly clusterId: string; readonly crtName: string } | undefined {
  if (token.length < 16 || token.length > 256) return undefined;
  for (const secret of caches.secret.by(digestIndex, digestOf(token))) {
    const { token: current, expiresAt, gracePeriodExpiresAt } = secret.stringData ?? {};
    const until = current === token ? expiresAt : gracePeriodExpiresAt;
    if (until && Date.parse(until) <= now) continue;
    const { name, namespace = '' } = secret.metadata;
    return { clusterId: namespace, crtName: name.slice('crt-token-'.length) };
  }
  return undefined;
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

/** How long the token is good and how long the one before it stays so: its own numbers, else the settings'. */
export function tokenTimes(crt: ClusterRegistrationToken, setting: (name: string) => string): TokenTimes {
  const minutes = (own: number | null | undefined, name: string, fallback: number) => {
    const stored = Number.parseInt(setting(name), 10);
    return own ?? (Number.isNaN(stored) ? fallback : stored);
  };
  const ttl = minutes(crt.spec?.ttl, 'crt-default-ttl-minutes', 43_200);
  if (ttl <= 0) return { ttlMs: undefined, graceMs: 0 };
  const bounded = Math.max(ttl, minTtlMinutes);
  const grace = Math.max(minutes(crt.spec?.gracePeriod, 'crt-default-grace-period-minutes', 180), minGraceMinutes);
  return { ttlMs: bounded * 60_000, graceMs: (grace >= bounded ? bounded * 0.8 : grace) * 60_000 };
}

/** The Secret's content with a new token in it; the one before stays good for the grace period. */
export function rotated(
  old: SecretResource['stringData'] | undefined,
  times: TokenTimes,
  now: number,
): Record<string, string> {
  const at = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  return {
    token: randomName(tokenLength),
    ...(times.ttlMs === undefined ? {} : { expiresAt: at(now + times.ttlMs) }),
    ...(old?.['token'] ? { previousToken: old['token'], gracePeriodExpiresAt: at(now + times.graceMs) } : {}),
  };
}

export interface RegistrationCommands {
  readonly token: string;
  readonly manifestUrl: string;
  readonly command: string;
  readonly insecureCommand: string;
}

/** What the holder of the right to see it is told; commands are empty while the server does not know its own address. */
export function describeRegistrationToken(
  crt: ClusterRegistrationToken,
  secret: SecretResource | undefined,
  { serverUrl }: { readonly serverUrl: string },
): RegistrationCommands {
  const token = secret?.stringData?.['token'] ?? '';
  if (!token || !serverUrl) return { token, manifestUrl: '', command: '', insecureCommand: '' };
  const manifestUrl = `${serverUrl.replace(/\/+$/, '')}/v3/import/${token}_${crt.metadata.namespace}.yaml`;
  return {
    token,
    manifestUrl,
    command: `kubectl apply -f ${manifestUrl}`,
    insecureCommand: `curl --insecure -sfL ${manifestUrl} | kubectl apply -f -`,
  };
}

/** The path without a token in it, for logs and errors. */
export function redactPath(path: string): string {
  return path.replace(/(\/v3\/+import\/+)[^/_?]*/gi, '$1***');
}
