/**
 * The front: one TLS port on which every request is dispatched by prefix, signed in where its route asks for it, and
 * answered or refused in the route's own form. It never reads a body and has no time-out that could cut a quiet stream.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Log, messageOf, notFound, type Secret, sleep, Tally, unauthorized, unavailable } from '@drover/base';
import { answerError, refuseUpgrade } from './errors.ts';
import type { Authenticate, Caller, Exchange, Observer, Route } from './exchange.ts';
import { RouteTable, requirePlainPath, splitTarget } from './routes.ts';

export interface FrontOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: { readonly cert: string; readonly key: Secret };
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  readonly log: Log;
  /** Told of each exchange that is over. */
  readonly onDone?: (route: Route, status: number, ms: number) => void;
  /** Sees every request and upgrade. */
  readonly observer?: Observer;
  /** Most connections from one address at once. */
  readonly connectionsPerAddress?: number;
  /** Within this the TLS handshake, and after it the headers, must be there, so that slow ones can't hold connections. */
  readonly headersTimeoutMs?: number;
}

const defaultHeadersTimeoutMs = 10_000;
const maxHeaderBytes = 64 * 1024;

export class Front implements AsyncDisposable {
  readonly #server: Server;
  readonly #routes: RouteTable;
  readonly #options: FrontOptions;
  readonly #draining = new AbortController();
  readonly #perAddress = new Tally<string>();
  readonly #upgraded = new Set<Duplex>();
  /** Every TCP connection, those in their handshake too. */
  readonly #connections = new Set<Socket>();
  #running = 0;
  #port = 0;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#routes = new RouteTable(options.routes);
    const { headersTimeoutMs = defaultHeadersTimeoutMs } = options;
    this.#server = createServer({
      cert: options.tls.cert,
      key: options.tls.key.reveal(),
      minVersion: 'TLSv1.2',
      // Of a list Node keeps a copy for each connection, a few bytes that hold 64 KiB of its buffers' pool as long as they live.
      ALPNCallback: ({ protocols }) => protocols.find(one => one === 'http/1.1'),
      maxHeaderSize: maxHeaderBytes,
      handshakeTimeout: headersTimeoutMs,
      headersTimeout: headersTimeoutMs,
      // Node looks every 30 s by default, whatever the time-out says.
      connectionsCheckingInterval: Math.ceil(headersTimeoutMs / 4),
      // A watch or an upload may take as long as it likes; what must be short has its own deadline where it is read.
      requestTimeout: 0,
      keepAliveTimeout: 65_000,
    });
    this.#server.on('connection', socket => this.#admit(socket));
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      else socket.destroy();
    });
  }

  /** Begins to serve; throws Unavailable naming the address where it is taken or not ours. */
  async listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? 'the port is in use; choose another with --listen' : messageOf(error);
        reject(unavailable(`can't listen on ${host}:${port}: ${why}`, { cause: error }));
      });
      this.#server.listen({ host, port }, resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Where it serves, or served until it was drained. */
  get port(): number {
    return this.#port;
  }

  /** Serves with another certificate from now on; connections that stand keep theirs. */
  setTls(tls: { readonly cert: string; readonly key: Secret }): void {
    this.#server.setSecureContext({ cert: tls.cert, key: tls.key.reveal(), minVersion: 'TLSv1.2' });
  }

  /** Takes nothing new, waits up to `graceMs` for what runs, then ends the rest a few at a time. */
  async drain(graceMs: number): Promise<void> {
    this.#draining.abort(unavailable('the server is stopping'));
    this.#server.close();
    this.#server.closeIdleConnections();
    const deadline = performance.now() + graceMs;
    while (this.#running > 0 && performance.now() < deadline) {
      await sleep(20);
      this.#server.closeIdleConnections();
    }
    await this.#endUpgraded();
    this.#server.closeAllConnections();
    for (const socket of this.#connections) socket.destroy();
  }

  /** A few at a time, so that whoever comes back at once does not come all together. */
  async #endUpgraded(): Promise<void> {
    const all = [...this.#upgraded];
    const step = Math.max(50, Math.ceil(all.length / 10));
    for (let i = 0; i < all.length; i += step) {
      if (i > 0) await sleep(50);
      for (const socket of all.slice(i, i + step)) socket.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  /** Bounds what one address may hold open; behind a load balancer all clients share its address, so the bound is wide. */
  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    if (this.#perAddress.of(address) >= (this.#options.connectionsPerAddress ?? 20_000)) {
      socket.destroy();
      return;
    }
    this.#perAddress.add(address);
    this.#connections.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#perAddress.remove(address);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    let route: Route | undefined;
    this.#running++;
    const observed = this.#options.observer?.request(request, response);
    response.once('close', () => {
      this.#running--;
      if (route) this.#options.onDone?.(route, response.statusCode, performance.now() - started);
    });
    // A broken connection is told by 'close'; without a listener its error would end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const { path, search } = splitTarget(request.url ?? '/');
      route = this.#routes.find(path);
      requirePlainPath(path);
      if (!route) throw notFound('path', path);
      if (this.#draining.signal.aborted) response.setHeader('connection', 'close');
      if (route.errors === 'norman') setSecurityHeaders(request, response);
      const caller = await this.#signIn(request, route, path);
      if (observed) observed.caller = caller;
      await route.handle(new Incoming({ request, response, path, search }), caller);
    } catch (error) {
      const page = route?.errorPage?.bind(undefined, request);
      answerError(response, error, { id: randomUUID(), form: route?.errors ?? 'norman', log: this.#options.log, page });
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let route: Route | undefined;
    this.#upgraded.add(socket);
    const observed = this.#options.observer?.upgrade(request, socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#upgraded.delete(socket));
    try {
      const { path, search } = splitTarget(request.url ?? '/');
      route = this.#routes.find(path);
      requirePlainPath(path);
      this.#draining.signal.throwIfAborted();
      if (!route?.upgrade) throw notFound('path for upgrades', path);
      const caller = await this.#signIn(request, route, path);
      if (observed) observed.caller = caller;
      await route.upgrade({ request, socket, head, path, search, query: new URLSearchParams(search) }, caller);
    } catch (error) {
      refuseUpgrade(socket, error, { id: randomUUID(), form: route?.errors ?? 'norman', log: this.#options.log });
    }
  }

  async #signIn(request: IncomingMessage, route: Route, path: string): Promise<Caller | undefined> {
    if (route.signIn === 'none') return undefined;
    const options = { path, cookies: route.cookies ?? true };
    if (route.signIn === 'user') {
      const caller = await this.#options.authenticate(request, options);
      if (!caller) throw unauthorized();
      return caller;
    }
    return this.#options.authenticate(request, options).catch(() => undefined);
  }
}

const localHost = /^(localhost|[\d.]+|\[.*\])(:\d+)?$/i;

/** For our own answers; what comes from clusters says for itself what it is. */
function setSecurityHeaders({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff');
  // Names that others may have on the same machine must not be bound to TLS; browsers ignore it with a CA that they don't trust.
  if (headers.host && !localHost.test(headers.host))
    response.setHeader('strict-transport-security', 'max-age=31536000');
}

/** An exchange whose query is parsed only for those who ask. */
class Incoming implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly search: string;
  #query: URLSearchParams | undefined;

  constructor(parts: Omit<Exchange, 'query'>) {
    this.request = parts.request;
    this.response = parts.response;
    this.path = parts.path;
    this.search = parts.search;
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.search));
  }
}
