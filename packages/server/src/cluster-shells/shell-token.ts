/**
 * The token of a kubectl shell: its user's own, good for the one cluster. It lasts a few minutes and is renewed for as long as the shell
 * does: what a server that was killed left behind ends by itself, and its pod with it.
 */
import { hasReason, type Log, messageOf, type Secret, sleep } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { depsOf, voucherOf } from '../api/tokens.ts';
import { type AuthDeps, issueToken, revokeToken } from '../auth/index.ts';
import { isOfShell, lifeMs, shellLabels } from '../auth/token-life.ts';
import type { Caller } from '../http/exchange.ts';

export interface ShellToken extends AsyncDisposable {
  readonly name: string;
  readonly bearer: Secret;
  /** How long it can be renewed. */
  readonly mostMs: number;
}

export interface ShellTokenOptions {
  readonly caller: Caller;
  readonly clusterId: string;
  /** Called once it is not good any more although it was not disposed. */
  readonly onLost: (why: string) => void;
  readonly leaseMs?: number;
}

const defaultLeaseMs = 10 * 60_000;
const mostMs = 8 * 60 * 60_000;

/** Issues it; disposing takes it back. */
export async function openShellToken(deps: ApiDeps, options: ShellTokenOptions): Promise<ShellToken> {
  const { caller, clusterId, onLost, leaseMs = defaultLeaseMs } = options;
  const view = { deps, caller };
  const { resource, bearer } = await issueToken(depsOf(view), {
    userId: caller.userId,
    ...voucherOf(view),
    kind: 'derived',
    description: 'kubectl shell',
    labels: shellLabels,
    ttlMs: leaseMs,
    clusterId,
  });
  const { name } = resource.metadata;
  const startedMs = Date.now();
  const wholeMs = Math.min(lifeMs(deps.settings, 'derived', mostMs) || mostMs, mostMs);
  const stop = new AbortController();
  deps.auth.sessions.onRevoked(({ tokenId }) => tokenId === name && onLost('its token was taken back'), stop.signal);
  const until = (): number => Math.min(Date.now() + leaseMs, startedMs + wholeMs);
  const renewed = keepUp({
    everyMs: leaseMs / 3,
    signal: stop.signal,
    log: deps.log,
    renew: async () => {
      const expiresAt = new Date(until()).toISOString();
      await deps.resources.modify('token', { name }, seen => ({ ...seen, expiresAt, ttl: until() - startedMs }));
    },
    onLost,
  });
  return {
    name,
    bearer,
    mostMs: wholeMs,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await renewed;
      await revokeToken(depsOf(view), name);
    },
  };
}

/** Takes back those that are there before any shell is: where no other server shares the store, a killed one left them. */
export async function takeBackOldTokens({ caches, resources, settings }: AuthDeps): Promise<void> {
  for (const { metadata } of [...caches.token.all()].filter(isOfShell))
    await revokeToken({ caches, resources, settings }, metadata.name);
}

interface KeepUp {
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly renew: () => Promise<void>;
  readonly onLost: (why: string) => void;
}

/** A store that is away for a moment is asked again before the token ends. */
async function keepUp({ everyMs, signal, log, renew, onLost }: KeepUp): Promise<void> {
  for (;;) {
    try {
      await sleep(everyMs, signal);
      await renew();
    } catch (error) {
      if (signal.aborted) return;
      if (hasReason(error, 'NotFound')) {
        onLost('its token was taken back');
        return;
      }
      log.warn({ reason: messageOf(error) }, 'the token of a kubectl shell could not be renewed');
    }
  }
}
