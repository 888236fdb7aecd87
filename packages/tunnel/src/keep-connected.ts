/**
 * Dials a tunnel again and again until the signal aborts, with a jittered pause that grows while it fails. Shared by
 * agents and peers; what is served on a session is the caller's.
 */
import { type BackoffOptions, backoffMs, type Log, messageOf, sleep } from '@drover/base';
import { type Dialled, type DialOptions, dialWebSocket } from './dial-websocket.ts';
import type { HeartbeatOptions } from './heartbeat.ts';
import { defaultLimits, Session, type SessionLimits, type SessionOptions } from './session.ts';

export interface KeepConnectedOptions {
  readonly name: string;
  readonly dial: () => Promise<Omit<DialOptions, 'signal'>>;
  readonly onConnect: NonNullable<SessionOptions['onConnect']>;
  /** Called with each new session; what it returns is called with the reason when the session is over. */
  readonly onSession: (session: Session) => (reason: Error) => void;
  readonly onRefused?: (error: unknown) => void;
  readonly backoff?: BackoffOptions;
  readonly limits?: SessionLimits;
  readonly heartbeat?: HeartbeatOptions;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** A session that lasted this long starts the pauses from the smallest again. */
const settledAfterMs = 10_000;
const syncEveryMs = 60_000;

/** Runs until the signal aborts; never rejects. */
export async function keepConnected(options: KeepConnectedOptions): Promise<void> {
  const { signal, log, name } = options;
  const backoff = { minMs: 1000, maxMs: 15_000, ...options.backoff };
  let attempt = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      const target = await options.dial();
      const dialled = await dialWebSocket({ ...target, signal });
      const reason = await serve(dialled, target.url, options);
      if (performance.now() - startedAt > settledAfterMs) attempt = 0;
      if (!signal.aborted) log.warn({ tunnel: name, error: messageOf(reason) }, 'tunnel lost');
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ tunnel: name, error: messageOf(error), attempt }, 'tunnel not opened');
      options.onRefused?.(error);
    }
    await sleep(backoffMs(attempt++, backoff), signal).catch(() => undefined);
  }
}

async function serve(dialled: Dialled, url: string, options: KeepConnectedOptions): Promise<Error> {
  const session = new Session({
    socket: dialled.socket,
    websocket: dialled.websocket,
    name: options.name,
    foreign: !dialled.ours,
    mask: url.startsWith('wss:') ? 'zero' : 'random',
    heartbeat: options.heartbeat ?? heartbeatTowards(dialled.ours),
    limits: options.limits ?? defaultLimits,
    log: options.log,
    onConnect: options.onConnect,
    syncEveryMs,
  });
  const onAbort = () => session.close('the client is stopping');
  options.signal.addEventListener('abort', onAbort, { once: true });
  const onEnded = options.onSession(session);
  if (options.signal.aborted) onAbort();
  const reason = await session.ended;
  options.signal.removeEventListener('abort', onAbort);
  onEnded(reason);
  return reason;
}

/** Our servers ping every two seconds; remotedialer's never do, and drop who has not pinged them for a minute. */
function heartbeatTowards(ours: boolean): HeartbeatOptions {
  return ours
    ? { pingEveryMs: 2500, silentAfterMs: 6000, onlyWhenQuiet: true }
    : { pingEveryMs: 5000, silentAfterMs: 15_000 };
}
