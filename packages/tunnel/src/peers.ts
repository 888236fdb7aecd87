/**
 * Servers that lend each other their clients. Each dials every other; on such a socket only the accepting side opens
 * streams, and the dialling side serves them from its own sessions alone, so that nothing can go round in circles.
 */
import { type BackoffOptions, type Log, messageOf, unavailable } from '@drover/base';
import { checkClientKey, type Target } from './address.ts';
import { serveStream } from './client.ts';
import type { TlsOptions } from './dial-websocket.ts';
import { keepConnected } from './keep-connected.ts';
import { messageType } from './message.ts';
import { bestSession } from './route.ts';
import type { News, Session, SessionLimits } from './session.ts';
import type { TunnelStream } from './stream.ts';

export interface Peer {
  readonly id: string;
  readonly url: string;
  /** Prove who we are to the peer, beside or instead of a client certificate. */
  readonly headers: () => Record<string, string> | Promise<Record<string, string>>;
  readonly tls?: TlsOptions;
  readonly backoff?: BackoffOptions;
}

/** A client session of this server as peers are told of it. */
export interface LocalClient {
  readonly clientKey: string;
  readonly sessionKey: string;
}

export interface PeersOptions {
  readonly instance: string;
  readonly local: () => Iterable<LocalClient>;
  readonly openLocal: (clientKey: string, target: Target) => TunnelStream;
  /** A client became reachable over a peer. */
  readonly onReachable: (clientKey: string) => void;
  /** A client that a peer had is gone from it. */
  readonly onGone?: (clientKey: string) => void;
  readonly limits: SessionLimits;
  readonly fullStateEveryMs?: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

interface Accepted {
  readonly session: Session;
  readonly instance: string | undefined;
  /** Client key to its session keys, as advertised over this socket. */
  clients: Map<string, Set<string>>;
}

const notHere = 'failed to find Session for client';

export class Peers {
  readonly #options: PeersOptions;
  readonly #dialled = new Map<string, { peer: Peer; stop: AbortController; done: Promise<void> }>();
  readonly #outgoing = new Set<Session>();
  readonly #accepted = new Map<string, Set<Accepted>>();

  constructor(options: PeersOptions) {
    this.#options = options;
    const timer = setInterval(() => this.#tellAll(), options.fullStateEveryMs ?? 10_000).unref();
    options.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  /** Dials the peer until it is removed; the same peer again is nothing, a changed one replaces the old. */
  add(peer: Peer): void {
    const known = this.#dialled.get(peer.id);
    if (known?.peer.url === peer.url && known.peer.tls === peer.tls && known.peer.headers === peer.headers) return;
    known?.stop.abort();
    const stop = new AbortController();
    const done = keepConnected({
      name: `peer ${peer.id}`,
      dial: async () => ({
        url: peer.url,
        headers: { ...(await peer.headers()), 'X-Drover-Instance': this.#options.instance },
        ...(peer.tls && { tls: peer.tls }),
      }),
      onConnect: (stream, target) => this.#serve(stream, target),
      onSession: session => {
        this.#outgoing.add(session);
        this.#tell(session);
        return () => this.#outgoing.delete(session);
      },
      backoff: { minMs: 500, maxMs: 30_000, ...peer.backoff },
      limits: this.#options.limits,
      signal: AbortSignal.any([this.#options.signal, stop.signal]),
      log: this.#options.log,
    });
    this.#dialled.set(peer.id, { peer, stop, done });
  }

  /** Stops dialling the peer and forgets what it advertised. */
  remove(id: string): void {
    this.#dialled.get(id)?.stop.abort();
    this.#dialled.delete(id);
    for (const { session } of this.#accepted.get(id) ?? []) session.close('no longer a peer');
  }

  /** Resolves when no peer is dialled any more; call it after the signal aborted. */
  async stopped(): Promise<void> {
    await Promise.all([...this.#dialled.values()].map(({ done }) => done));
  }

  /** Takes in a socket that a peer dialled. A new instance of the same peer replaces the one before it. */
  accept(id: string, session: Session, instance: string | undefined): (news: News) => void {
    const own: Accepted = { session, instance, clients: new Map() };
    const known = this.#accepted.get(id) ?? new Set();
    for (const old of known) if (old.instance !== instance) old.session.close('replaced by a newer instance');
    this.#accepted.set(id, known.add(own));
    void session.ended.then(() => {
      known.delete(own);
      if (known.size === 0 && this.#accepted.get(id) === known) this.#accepted.delete(id);
      for (const key of own.clients.keys()) this.#options.onGone?.(key);
    });
    return news => this.#learn(own, news);
  }

  *sessions(): Iterable<{ id: string; session: Session; clients: number }> {
    for (const [id, accepted] of this.#accepted)
      for (const { session, clients } of accepted) yield { id, session, clients: clients.size };
  }

  has(clientKey: string): boolean {
    return this.#routes(clientKey).length > 0;
  }

  /** Opens a stream to the client over whichever peer has it; undefined when none has. */
  open(clientKey: string, target: Target): TunnelStream | undefined {
    const routes = this.#routes(clientKey);
    const session = bestSession(routes.map(route => route.session));
    if (!session) return undefined;
    const stream = session.open({ proto: `${clientKey}::${target.proto}`, address: target.address });
    stream.once('error', error => {
      // The peer no longer has it: don't send the next one there, whatever its last advertisement said.
      if (error.message.includes(notHere))
        for (const route of routes)
          if (route.session === session && route.clients.delete(clientKey)) this.#options.onGone?.(clientKey);
    });
    return stream;
  }

  /** Tells all peers at once that a client session came or went. */
  announce(change: 'add' | 'remove', client: LocalClient): void {
    const type = change === 'add' ? messageType.addClient : messageType.removeClient;
    for (const session of this.#outgoing) session.send(type, encodeClient(client));
  }

  #routes(clientKey: string): Accepted[] {
    const routes: Accepted[] = [];
    for (const accepted of this.#accepted.values())
      for (const one of accepted) if (one.session.live && one.clients.has(clientKey)) routes.push(one);
    return routes;
  }

  #serve(stream: TunnelStream, target: Target): void {
    void serveStream(stream, target, async ({ proto, address }) => {
      const split = proto.indexOf('::');
      if (split < 1) throw unavailable(`invalid clientKey/proto: ${proto}`);
      return this.#options.openLocal(proto.slice(0, split), { proto: proto.slice(split + 2), address });
    });
  }

  #tellAll(): void {
    for (const session of this.#outgoing) this.#tell(session);
  }

  /** The whole state: a list to one of ours, to a remotedialer an AddClient for each. */
  #tell(session: Session): void {
    const clients = [...this.#options.local()];
    if (session.foreign) for (const client of clients) session.send(messageType.addClient, encodeClient(client));
    else
      session.send(
        messageType.clients,
        Buffer.from(JSON.stringify(clients.map(client => [client.clientKey, client.sessionKey]))),
      );
  }

  #learn(from: Accepted, news: News): void {
    if (news.kind === 'all') {
      const before = from.clients;
      from.clients = parseClients(news.payload);
      for (const key of from.clients.keys()) if (!before.has(key)) this.#options.onReachable(key);
      for (const key of before.keys()) if (!from.clients.has(key)) this.#options.onGone?.(key);
      return;
    }
    const { clientKey, sessionKey } = news.client;
    const keys = from.clients.get(clientKey);
    if (news.kind === 'add') {
      if (keys) keys.add(sessionKey);
      else from.clients.set(checkClientKey(clientKey), new Set([sessionKey]));
      this.#options.onReachable(clientKey);
    } else if (keys?.delete(sessionKey) && keys.size === 0) {
      from.clients.delete(clientKey);
      this.#options.onGone?.(clientKey);
    }
  }
}

const encodeClient = (client: LocalClient) => Buffer.from(`${client.clientKey}/${client.sessionKey}`);

/** The error a peer answers with for a client that it does not hold; the wording is remotedialer's. */
export function noSession(clientKey: string) {
  return unavailable(`${notHere} ${clientKey}`, { retryAfterSeconds: 5 });
}

function parseClients(payload: Buffer): Map<string, Set<string>> {
  const clients = new Map<string, Set<string>>();
  let list: unknown;
  try {
    list = JSON.parse(payload.toString());
  } catch (error) {
    throw unavailable(`peer's list of clients is not JSON: ${messageOf(error)}`);
  }
  if (!Array.isArray(list)) throw unavailable("peer's list of clients is not a list");
  for (const entry of list as unknown[]) {
    const [clientKey, sessionKey] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof clientKey !== 'string' || typeof sessionKey !== 'string')
      throw unavailable("peer's list of clients has an entry that is not [clientKey, sessionKey]");
    const keys = clients.get(checkClientKey(clientKey)) ?? new Set();
    clients.set(clientKey, keys.add(sessionKey));
  }
  return clients;
}
