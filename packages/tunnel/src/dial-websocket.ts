/**
 * The dialling side's websocket handshake, with TLS options and the environment's proxies. A refusal carries what the
 * server said, since that is all its operator will have to go by.
 */
import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { invalid, messageOf, StatusError, unavailable } from '@drover/base';
import { WebSocket } from 'ws';
import { isOurs, maxMessageBytes } from './upgrade.ts';

export interface DialOptions {
  /** ws: or wss:. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: TlsOptions;
  /** An environment whose HTTP_PROXY, HTTPS_PROXY and NO_PROXY say which way to go; absent: straight. */
  readonly proxyEnv?: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export type TlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'checkServerIdentity' | 'servername'
>;

export interface Dialled {
  readonly websocket: WebSocket;
  readonly socket: Duplex;
  /** The far end said that it is one of ours. */
  readonly ours: boolean;
}

const handshakeTimeoutMs = 10_000;

/** Resolves once the websocket is open; rejects with what the server answered, or why it could not be reached. */
export function dialWebSocket(options: DialOptions): Promise<Dialled> {
  const { url, headers, tls, signal } = options;
  const target = parseUrl(url);
  const { host } = target;
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
  if (signal.aborted) return Promise.reject(signal.reason);
  const websocket = new WebSocket(url, {
    ...(tls as object),
    headers: { ...headers, 'X-Drover-Tunnel': '1' },
    perMessageDeflate: false,
    skipUTF8Validation: true,
    autoPong: false,
    maxPayload: maxMessageBytes,
    handshakeTimeout: handshakeTimeoutMs,
    followRedirects: false,
    ...(options.proxyEnv && { agent: proxyAgent(target.protocol, options) }),
  });
  const onAbort = () => {
    websocket.terminate();
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  let upgraded: IncomingMessage | undefined;
  websocket.on('upgrade', response => {
    upgraded = response;
  });
  websocket.on('open', () => {
    // Messages may have come with the handshake; the session lets them flow once it listens.
    websocket.pause();
    resolve({ websocket, socket: upgraded!.socket, ours: isOurs(upgraded!) });
  });
  websocket.on('error', error => reject(unavailable(`cannot open a tunnel to ${host}`, { cause: error })));
  websocket.on('unexpected-response', (_request, response) => {
    refusal(response, host).then(reject, reject);
  });
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (!parsed || !/^wss?:$/.test(parsed.protocol)) throw invalid('url', 'needs to be a ws:// or wss:// address');
  return parsed;
}

/** An agent of its own for one dial: it also has to carry the TLS options, which ws gives only to its own sockets. */
function proxyAgent(protocol: string, options: DialOptions): HttpAgent {
  const proxyEnv = options.proxyEnv as Record<string, string>;
  return protocol === 'wss:' ? new HttpsAgent({ ...options.tls, proxyEnv }) : new HttpAgent({ proxyEnv });
}

async function refusal(response: IncomingMessage, host: string): Promise<StatusError> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > 512) break;
    }
  } catch (error) {
    text ||= messageOf(error);
  }
  const status = response.statusCode ?? 0;
  const said = text.trim().slice(0, 512) || (response.statusMessage ?? '');
  response.destroy();
  return new StatusError(
    status,
    status === 401
      ? 'Unauthorized'
      : status === 403
        ? 'Forbidden'
        : status >= 500
          ? 'ServiceUnavailable'
          : 'BadRequest',
    `${host} refused the tunnel with ${status}: ${said}`,
  );
}
