/**
 * The way from here to a server: straight, or through the proxy that HTTPS_PROXY and NO_PROXY name for it, as kubectl goes;
 * with TLS on top. Everything that the command line sends to a server takes it.
 */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { messageOf, StatusError, unavailable } from '@drover/base';
import { Agent } from 'undici';

export interface WayOptions {
  /** PEM of the CA to trust; absent: the system's. */
  readonly ca?: string;
  readonly timeoutMs?: number;
  /** Take whatever certificate is shown: only to look at it. Nothing may be sent then. */
  readonly unverified?: boolean;
}

/** The host without an IPv6 address's brackets, and the port. */
export function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) };
}

/** The proxy that the environment names for the URL; undefined where the way is straight. */
export async function proxyTo(url: string): Promise<string | undefined> {
  if (!process.env['HTTPS_PROXY'] && !process.env['https_proxy']) return undefined;
  const { proxyFromEnvironment } = await import('@drover/kube');
  return proxyFromEnvironment(new URL(url));
}

/** The proxy's address for people: what signs in there is left out. */
export function proxyName(proxy: string): string {
  return URL.canParse(proxy) ? new URL(proxy).host : 'HTTPS_PROXY';
}

/** A TLS connection to the server of the URL, by which nothing was sent yet. Rejects with what the network said, or the proxy. */
export async function dialTls(url: string, options: WayOptions = {}): Promise<TLSSocket> {
  const { timeoutMs = 10_000 } = options;
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' })),
    timeoutMs,
  );
  try {
    const proxy = await proxyTo(url);
    const raw = proxy === undefined ? undefined : await throughProxy(proxy, url, late.signal);
    return await secured(url, { ...options, raw, signal: late.signal });
  } finally {
    clearTimeout(timer);
  }
}

async function throughProxy(proxy: string, url: string, signal: AbortSignal): Promise<Duplex> {
  const { dialProxy } = await import('@drover/kube');
  try {
    return await dialProxy(proxy, addressOf(url), signal);
  } catch (error) {
    // The proxy's own refusal says it all; its network's must not be taken for the server's.
    if (error instanceof StatusError) throw error;
    throw unavailable(`the proxy ${proxyName(proxy)}, which HTTPS_PROXY names, can't be reached: ${messageOf(error)}`);
  }
}

function secured(
  url: string,
  options: WayOptions & { readonly raw?: Duplex; readonly signal: AbortSignal },
): Promise<TLSSocket> {
  const { ca, unverified = false, raw, signal } = options;
  const address = addressOf(url);
  const socket = connect({
    ...(raw ? { socket: raw, host: address.host } : address),
    servername: isIP(address.host) ? '' : address.host,
    ca,
    rejectUnauthorized: !unverified,
    ALPNProtocols: ['http/1.1'],
  });
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', settle).off('close', onClose);
      if (error === undefined) return resolve(socket);
      // A late error of what was given up would be thrown at the process.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = () => settle(signal.reason);
    const onClose = () => settle(Object.assign(new Error('closed during the TLS handshake'), { code: 'ECONNRESET' }));
    socket
      .once('secureConnect', () => settle())
      .on('error', settle)
      .on('close', onClose);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** For undici: connections to the one server, with its CA. */
export function agentFor(server: { readonly url: string; readonly ca?: string }): Agent {
  return new Agent({
    keepAliveTimeout: 1000,
    connect: (_, callback) => {
      dialTls(server.url, { ca: server.ca }).then(
        socket => callback(null, socket),
        error => callback(error, null),
      );
    },
  });
}
