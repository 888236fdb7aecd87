/**
 * Opens the byte stream to a kube-apiserver: through the connection's dialer, a proxy, or plain TCP, with TLS on top
 * where the URL says https. Requests and upgrades both start here, so credentials and trust are decided in one place.
 */
import { isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { type Address, invalid, timedOut } from '@drover/base';
import type { ClientIdentity, Connection } from './connection.ts';
import { networkError } from './network-error.ts';
import { dialProxy } from './proxy.ts';
import { connected, dialTcp } from './tcp.ts';

const dialTimeoutMs = 10_000;
/** A half-open connection behind a silent watch is noticed after about a minute. */
const keepAliveMs = 30_000;

/** Dials for one Connection; keeps the parsed TLS context, which costs more than the handshake's own arithmetic. */
export class ServerDialer {
  readonly url: URL;
  readonly #connection: Connection;
  #context: SecureContext | undefined;
  #contextKey: string | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.url = parseServer(connection.server);
  }

  /** A connected stream that HTTP can be spoken on. Rejects with ServiceUnavailable or Timeout naming the server. */
  async dial(signal?: AbortSignal): Promise<Duplex> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(timedOut(`${this.url.host} does not answer: no connection within ${dialTimeoutMs} ms`)),
      dialTimeoutMs,
    );
    const both = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
    try {
      both.throwIfAborted();
      const raw = await this.#dialRaw(both);
      return this.url.protocol === 'https:' ? await this.#secure(raw, both) : raw;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw networkError(this.url.host, timeout.signal.aborted ? timeout.signal.reason : error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #dialRaw(signal: AbortSignal): Promise<Duplex> {
    const { dialer, proxyUrl } = this.#connection;
    const port = Number(this.url.port) || (this.url.protocol === 'https:' ? 443 : 80);
    const address: Address = { host: hostOf(this.url), port };
    if (dialer) return dialer(address, { signal });
    const socket = proxyUrl ? await dialProxy(proxyUrl, address, signal) : await dialTcp(address, signal);
    if (socket instanceof Socket) socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
    return socket;
  }

  async #secure(raw: Duplex, signal: AbortSignal): Promise<Duplex> {
    const { serverName, insecureSkipTlsVerify } = this.#connection;
    const host = hostOf(this.url);
    const name = serverName ?? host;
    const secureContext = await this.#secureContext().catch(error => {
      raw.destroy();
      throw error;
    });
    const socket = connectTls({
      socket: raw,
      host: name,
      ...(isIP(name) ? {} : { servername: name }),
      secureContext,
      rejectUnauthorized: !insecureSkipTlsVerify,
      ALPNProtocols: ['http/1.1'],
    });
    return connected(socket, 'secureConnect', signal);
  }

  async #secureContext(): Promise<SecureContext> {
    const { ca, clientIdentity } = this.#connection;
    const identity = (await clientIdentity?.()) ?? staticIdentity(this.#connection);
    const key = identity ? identity.cert + identity.key.reveal() : '';
    if (this.#context && this.#contextKey === key) return this.#context;
    this.#context = createSecureContext({ ca, cert: identity?.cert, key: identity?.key.reveal() });
    this.#contextKey = key;
    return this.#context;
  }
}

/** Parses a server URL; throws Invalid naming what would be right. */
export function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw invalid('server', `must be a URL such as https://10.0.0.1:6443, not "${server}"`);
  }
  if (url.username || url.password) throw invalid('server', 'must not carry credentials in the URL');
  return url;
}

/** The host without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function staticIdentity({ clientCert, clientKey }: Connection): ClientIdentity | undefined {
  return clientCert && clientKey ? { cert: clientCert, key: clientKey } : undefined;
}
