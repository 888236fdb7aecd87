/**
 * How long tokens live, by the settings, and whether one is over. Times are wall time: a clock set back never makes a
 * token that was seen to be over good again in this process.
 */
import type { Token } from '@drover/api';
import { invalid } from '@drover/base';
import { minutesSetting, type SettingsReader } from './deps.ts';

export type TokenKind = 'session' | 'kubeconfig' | 'derived' | 'agent';

export const userIdLabel = 'authn.management.cattle.io/token-userId';
export const kindLabel = 'authn.management.cattle.io/kind';
/** Set on tokens of kubectl shells. */
export const shellLabels = { 'drover.io/part-of': 'shell' } as const;
export const hashedAnnotation = 'authn.management.cattle.io/token-hashed';

const day = 24 * 60;
/** Beyond it a date can't be written in RFC 3339's four digits of a year. */
const longestMs = 100 * 365 * day * 60_000;

/**
 * Milliseconds that a new token lives; 0 = it never expires. `askedMs` absent or 0 takes the setting's default, below 0
 * asks for one without an end; the kind's maximum caps both. A session's length is never the client's to choose.
 */
export function lifeMs(settings: SettingsReader, kind: TokenKind, askedMs?: number): number {
  if (askedMs !== undefined && !Number.isSafeInteger(askedMs)) throw invalid('ttl', 'must be a whole number of ms');
  if (kind === 'session') return positive(minutesSetting(settings, 'auth-user-session-ttl-minutes', 960));
  const max = maxLifeMs(settings, kind);
  const fallback = defaultLifeMs(settings, kind);
  const wanted = positive(askedMs === undefined || askedMs === 0 ? fallback : askedMs);
  if (max === 0) return wanted;
  return wanted === 0 ? max : Math.min(wanted, max);
}

function maxLifeMs(settings: SettingsReader, kind: TokenKind): number {
  const name = kind === 'kubeconfig' ? 'kubeconfig-max-token-ttl-minutes' : 'auth-token-max-ttl-minutes';
  return positive(minutesSetting(settings, name, 90 * day));
}

function defaultLifeMs(settings: SettingsReader, kind: TokenKind): number {
  return kind === 'kubeconfig'
    ? minutesSetting(settings, 'kubeconfig-default-token-ttl-minutes', 30 * day)
    : minutesSetting(settings, 'auth-token-default-ttl-minutes', 90 * day);
}

/** 0 for "without an end", which settings and clients also write as a negative number. */
function positive(ms: number): number {
  return ms <= 0 ? 0 : Math.min(ms, longestMs);
}

/** When it ends, in ms of wall time; Infinity for never. A date that can't be read has passed. */
export function endOf(token: Token): number {
  if (!token.expiresAt) return Number.POSITIVE_INFINITY;
  const time = Date.parse(token.expiresAt);
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

export function isOver(token: Token, now: number): boolean {
  return endOf(token) <= now;
}

export function isOfShell({ metadata }: Token): boolean {
  return metadata.labels?.['drover.io/part-of'] === shellLabels['drover.io/part-of'];
}

export function kindOf(token: Token): string | undefined {
  return token.metadata.labels?.[kindLabel];
}

/** Whether a session was left alone for longer than the idle setting allows; other kinds are used by programs and have none. */
export function isIdle(token: Token, lastSeen: number, idleMs: number, now: number): boolean {
  return idleMs > 0 && kindOf(token) === 'session' && now - lastSeen > idleMs;
}

/** Asked for on each request: reading dates takes longer than all else that is looked at of a token. */
const lastSeen = new WeakMap<Token, number>();

/** When it was last used as far as the resource tells, in ms; its creation at first. */
export function storedLastSeen(token: Token): number {
  let at = lastSeen.get(token);
  if (at === undefined) {
    const dates = [token.activityLastSeenAt, token.lastUsedAt, token.metadata.creationTimestamp];
    at = Math.max(...dates.map(date => Date.parse(date ?? '') || 0));
    lastSeen.set(token, at);
  }
  return at;
}
