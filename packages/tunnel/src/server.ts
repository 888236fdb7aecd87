/**
 * The server's end: holds the sessions of agents by client key and gives dialers into them, local or over a peer.
 * Knows nothing of HTTP sign-in: who may connect as whom is decided before accept().
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Dialer, type Log, sleep, timedOut } from '@drover/base';
import { checkClientKey, type Target, targetOf } from './address.ts';
import { noSession, type Peer, Peers } from './peers.ts';
import { bestSession } from './route.ts';
import { defaultLimits, type News, Session, type SessionLimits } from './session.ts';
import type { TunnelStream } from './stream.ts';
import { acceptWebSocket, isOurs } from './upgrade.ts';

export interface TunnelServerOptions {
  readonly log: Log;
  /** Default 2000. */
  readonly pingEveryMs?: number;
  /** Silence, of anything, after which a tunnel is dead. Default 5000. */
  readonly silentAfterMs?: number;
  /** Bytes that one stream may hold for a slow reader before it fails. Default 16 MiB. */
  readonly streamBufferBytes?: number;
  /** Bytes aimed at for all streams of one session together. Default 64 MiB. */
  readonly sessionBufferBytes?: number;
  /** Default 20,000 a session. */
  readonly maxStreams?: number;
  /** Default 10,000: how often peers get the whole list of our clients. */
  readonly peerStateEveryMs?: number;
  /** The clock of pings, silence and ages, in milliseconds. */
  readonly now?: () => number;
  /** Sessions of a client came or went; `live` counts those that end on this server. */
  readonly onSessions?: (clientKey: string, live: number) => void;
  /** A client came to, or went from, a peer: `has()` may answer otherwise now. */
  readonly onPeerClient?: (clientKey: string) => void;
}

export interface AcceptOptions {
  readonly clientKey: string;
  readonly agent?: 'drover' | 'rancher';
  readonly remote?: string;
}

export interface SessionInfo {
  readonly clientKey: string;
  /** Set on sockets that a peer dialled; the client key is then empty. */
  readonly peer?: string;
  readonly agent: 'drover' | 'rancher';
  readonly remote: string | undefined;
  readonly since: Date;
  readonly rttMs: number | undefined;
  readonly streams: number;
  readonly pausedStreams: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly queuedBytes: number;
  readonly lastHeardMs: number;
  /** Messages refused because this far end had no business sending them. */
  readonly refused: number;
}

interface Held {
  readonly session: Session;
  readonly sessionKey: string;
  readonly clientKey: string;
  readonly remote: string | undefined;
}

export class TunnelServer implements AsyncDisposable {
  readonly #options: TunnelServerOptions;
  readonly #limits: SessionLimits;
  readonly #clients = new Map<string, Set<Held>>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stopping = new AbortController();
  readonly #peers: Peers;

  constructor(options: TunnelServerOptions) {
    this.#options = options;
    this.#limits = {
      streamBufferBytes: options.streamBufferBytes ?? defaultLimits.streamBufferBytes,
      sessionBufferBytes: options.sessionBufferBytes ?? defaultLimits.sessionBufferBytes,
      maxStreams: options.maxStreams ?? defaultLimits.maxStreams,
    };
    this.#peers = new Peers({
      instance: randomUUID(),
      local: () => this.#held(),
      openLocal: (clientKey, target) => this.#openLocal(clientKey, target),
      onReachable: clientKey => {
        this.#wake(clientKey);
        options.onPeerClient?.(clientKey);
      },
      onGone: clientKey => options.onPeerClient?.(clientKey),
      limits: this.#limits,
      ...(options.peerStateEveryMs && { fullStateEveryMs: options.peerStateEveryMs }),
      signal: this.#stopping.signal,
      log: options.log,
    });
  }

  /** Completes the upgrade and serves the session; resolves when it is over. Rejects when it was no websocket upgrade. */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer, options: AcceptOptions): Promise<void> {
    const clientKey = checkClientKey(options.clientKey);
    const session = await this.#upgrade(request, socket, head, { name: clientKey, agent: options.agent });
    const held: Held = { session, clientKey, sessionKey: String(randomInt(2 ** 47)), remote: options.remote };
    const all = this.#clients.get(clientKey) ?? new Set();
    this.#clients.set(clientKey, all.add(held));
    this.#peers.announce('add', held);
    this.#options.onSessions?.(clientKey, all.size);
    this.#wake(clientKey);
    await session.ended;
    all.delete(held);
    if (all.size === 0) this.#clients.delete(clientKey);
    this.#peers.announce('remove', held);
    this.#options.onSessions?.(clientKey, all.size);
  }

  /** As accept(), for a peer whose identity the caller has verified; only such a session may advertise clients. */
  async acceptPeer(request: IncomingMessage, socket: Duplex, head: Buffer, peer: { id: string }): Promise<void> {
    let learn: (news: News) => void = () => undefined;
    const instance = request.headers['x-drover-instance'];
    const session = await this.#upgrade(request, socket, head, {
      name: `peer ${peer.id}`,
      onAdvertise: news => learn(news),
    });
    learn = this.#peers.accept(peer.id, session, typeof instance === 'string' ? instance : undefined);
    await session.ended;
  }

  /** Dials a peer and lends it our clients, until it is removed. */
  addPeer(peer: Peer): void {
    this.#peers.add(peer);
  }

  removePeer(id: string): void {
    this.#peers.remove(id);
  }

  /** Whether a stream to the client could be opened now, from here or over a peer. */
  has(clientKey: string): boolean {
    for (const { session } of this.#clients.get(clientKey) ?? []) if (session.live) return true;
    return this.#peers.has(clientKey);
  }

  /** Opens streams to addresses inside the client; rejects at once with ServiceUnavailable when it is not connected. */
  dialer(clientKey: string): Dialer {
    return async (address, options) => {
      options?.signal?.throwIfAborted();
      const target = targetOf(address);
      const stream = this.#best(clientKey)?.open(target) ?? this.#peers.open(clientKey, target);
      if (!stream) throw noSession(clientKey);
      return stream;
    };
  }

  /** Every session that ends here, clients' and peers', for metrics and diagnosis. */
  sessions(): SessionInfo[] {
    const infos: SessionInfo[] = [];
    for (const { session, clientKey, remote } of this.#held()) infos.push(infoOf(session, { clientKey, remote }));
    for (const { id, session } of this.#peers.sessions())
      infos.push(infoOf(session, { clientKey: '', peer: id, remote: undefined }));
    return infos;
  }

  /** Closes all sessions of a client that end here. */
  closeClient(clientKey: string, reason: string): void {
    for (const { session } of [...(this.#clients.get(clientKey) ?? [])]) session.close(reason, 1008);
  }

  /** Resolves once the client can be reached; Timeout after `timeoutMs`. */
  waitFor(clientKey: string, options: { signal?: AbortSignal; timeoutMs: number }): Promise<void> {
    if (this.has(clientKey)) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal, timeoutMs } = options;
    const timer = setTimeout(() => reject(timedOut(`waited ${timeoutMs} ms for ${clientKey} to connect`)), timeoutMs);
    const onAbort = () => reject(signal!.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const waiting = this.#waiting.get(clientKey) ?? new Set();
    this.#waiting.set(clientKey, waiting.add(resolve));
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(clientKey) === waiting) this.#waiting.delete(clientKey);
    });
  }

  /** Closes all sessions one after the other over `overMs`, so that agents do not come back to the others all at once. */
  async drain(options: { overMs: number; signal?: AbortSignal }): Promise<void> {
    const all = [...this.#held()];
    for (const { session } of all) {
      session.close('server is stopping', 1012);
      await sleep(options.overMs / all.length, options.signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    const ending: Promise<unknown>[] = [this.#peers.stopped()];
    for (const { session } of [...this.#held(), ...this.#peers.sessions()]) {
      session.close('server is stopping', 1012);
      ending.push(session.ended);
    }
    await Promise.all(ending);
  }

  *#held(): Iterable<Held> {
    for (const all of this.#clients.values()) yield* all;
  }

  #best(clientKey: string): Session | undefined {
    const all = this.#clients.get(clientKey);
    return all && bestSession(Array.from(all, held => held.session));
  }

  #openLocal(clientKey: string, target: Target): TunnelStream {
    const session = this.#best(clientKey);
    if (!session) throw noSession(clientKey);
    return session.open(target);
  }

  #wake(clientKey: string): void {
    for (const resolve of [...(this.#waiting.get(clientKey) ?? [])]) resolve();
  }

  async #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    own: { name: string; agent?: 'drover' | 'rancher' | undefined; onAdvertise?: (news: News) => void },
  ): Promise<Session> {
    const websocket = await acceptWebSocket(request, socket, head);
    const { pingEveryMs = 2000, silentAfterMs = 5000, log, now } = this.#options;
    const session = new Session({
      socket,
      websocket,
      name: own.name,
      foreign: own.agent === 'rancher' || !isOurs(request),
      mask: 'none',
      heartbeat: { pingEveryMs, silentAfterMs, ...(now && { now }) },
      limits: this.#limits,
      log,
      ...(own.onAdvertise && { onAdvertise: own.onAdvertise }),
    });
    if (this.#stopping.signal.aborted) session.close('server is stopping', 1012);
    void session.ended.then(reason => log.info({ tunnel: own.name, error: reason.message }, 'tunnel over'));
    return session;
  }
}

function infoOf(session: Session, own: { clientKey: string; peer?: string; remote: string | undefined }): SessionInfo {
  return {
    ...own,
    agent: session.foreign ? 'rancher' : 'drover',
    since: session.since,
    rttMs: session.heartbeat.rttMs,
    streams: session.streamCount,
    pausedStreams: session.paused,
    bytesIn: session.bytesIn,
    bytesOut: session.writer.bytesOut,
    queuedBytes: session.writer.backlog.bytes,
    lastHeardMs: session.heartbeat.silentMs,
    refused: session.refused,
  };
}
