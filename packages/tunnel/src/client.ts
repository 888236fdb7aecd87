/**
 * The agent's end: dials the server, keeps the tunnel up, opens what the server asks for. Surprise: with one of our
 * servers it holds several sockets, so that one slow TCP connection doesn't hold all streams up.
 */
import type { Duplex } from 'node:stream';
import { aborted, anySignal, type BackoffOptions, type Log, messageOf, splice } from '@drover/base';
import type { Target } from './address.ts';
import type { TlsOptions } from './dial-websocket.ts';
import { keepConnected } from './keep-connected.ts';
import type { SessionLimits } from './session.ts';
import type { TunnelStream } from './stream.ts';

/** What the opener gives: a stream to join with the server's, or a function that takes the server's stream itself. */
export type Opened = Duplex | ((stream: Duplex) => void);

export interface ConnectTunnelOptions {
  readonly url: string;
  /** Asked before each dial, so that a rotated token is used. */
  readonly headers: () => Record<string, string> | Promise<Record<string, string>>;
  readonly tls?: TlsOptions;
  /** Sockets to hold towards one of our servers; a foreign server gets one. */
  readonly sockets?: number;
  /** Authorises and dials what the server asks for; a rejection fails that stream alone, with its message. */
  readonly open: (target: Target, signal: AbortSignal) => Promise<Opened>;
  /** The first socket is up. */
  readonly onConnected?: () => void;
  /** The last socket is gone, or a dial failed while there was none. */
  readonly onDisconnected?: (error: Error) => void;
  readonly backoff?: BackoffOptions;
  /** Go through HTTP_PROXY or HTTPS_PROXY, and past them where NO_PROXY says so. */
  readonly proxyFromEnvironment?: boolean;
  readonly limits?: SessionLimits;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Holds the tunnel until the signal aborts; never rejects for what the network does. */
export async function connectTunnel(options: ConnectTunnelOptions): Promise<void> {
  const { signal, log, sockets = 1 } = options;
  const running = new Set<Promise<void>>();
  let live = 0;
  let extra: AbortController | undefined;

  const hold = (index: number, until: AbortSignal): void => {
    const running_ = keepConnected({
      name: index === 0 ? 'server' : `server#${index + 1}`,
      dial: async () => ({
        url: options.url,
        headers: await options.headers(),
        ...(options.tls && { tls: options.tls }),
        ...(options.proxyFromEnvironment && { proxyEnv: process.env }),
      }),
      onConnect: (stream, target) => void serveStream(stream, target, options.open),
      onSession: session => {
        if (++live === 1) options.onConnected?.();
        if (index === 0) growOrShrink(!session.foreign);
        return reason => {
          if (--live === 0 && !signal.aborted) options.onDisconnected?.(reason);
        };
      },
      onRefused: error => {
        if (live === 0) options.onDisconnected?.(error instanceof Error ? error : new Error(messageOf(error)));
      },
      ...(options.backoff && { backoff: options.backoff }),
      ...(options.limits && { limits: options.limits }),
      signal: until,
      log,
    });
    running.add(running_);
    void running_.finally(() => running.delete(running_));
  };

  const growOrShrink = (ours: boolean): void => {
    if (!ours) {
      extra?.abort();
      extra = undefined;
    } else if (!extra && sockets > 1) {
      extra = new AbortController();
      const until = anySignal(signal, extra.signal);
      for (let index = 1; index < sockets; index++) hold(index, until);
    }
  };

  hold(0, signal);
  await aborted(signal);
  await Promise.all(running);
}

/** Joins a stream that the server opened with what the opener gives for it. */
export async function serveStream(
  stream: TunnelStream,
  target: Target,
  open: ConnectTunnelOptions['open'],
): Promise<void> {
  const closed = new AbortController();
  stream.on('close', () => closed.abort());
  stream.on('error', () => undefined);
  try {
    const opened = await open(target, closed.signal);
    if (typeof opened === 'function') opened(stream);
    else if (stream.destroyed) opened.destroy();
    else void splice(stream, opened);
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  }
}
