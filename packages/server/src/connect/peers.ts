/**
 * The replicas on one store: each registers there under a lease, dials every other and lends it the clusters whose agents
 * it holds. They talk on a listener of their own, where nobody but a registered replica gets past the TLS handshake's end.
 */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { aborted, anySignal, backoffMs, isExpired, type Log, messageOf, sleep, unavailable } from '@drover/base';
import type { Store } from '@drover/store';
import type { TunnelServer } from '@drover/tunnel';
import {
  fingerprintOf,
  makePeerIdentity,
  type PeerIdentity,
  parseRegistration,
  type Registration,
  reachableHost,
  tlsTowards,
} from './peer-identity.ts';

export interface PeersOptions {
  readonly store: Store;
  readonly tunnels: Pick<TunnelServer, 'acceptPeer' | 'addPeer' | 'removePeer'>;
  /** This replica, anew at each start. */
  readonly id: string;
  /** Where to listen for peers; port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** `https://host:port` that the others reach that listener at; default: from where it listens. */
  readonly url?: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly leaseMs?: number;
}

const prefix = '/replicas/';
const path = '/v3/connect';
const maxConnections = 256;

/** Serves and dials peers until the signal aborts. Throws Unavailable where the address can't be listened on. */
export async function startPeers(options: PeersOptions): Promise<void> {
  const own = await makePeerIdentity(options.id);
  const known = new Map<string, Registration>();
  const server = listener(options, own, known);
  await listen(server, options.listen);
  options.signal.addEventListener('abort', () => void server.close(), { once: true });
  const host = reachableHost(options.listen.host);
  const { port } = server.address() as AddressInfo;
  const url = options.url ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  void keepRegistered(options, { id: options.id, url, ca: own.ca, fingerprint: own.fingerprint });
  void follow(options, change => {
    if (change.id === options.id) return;
    if (!change.registration) {
      known.delete(change.id);
      options.tunnels.removePeer(change.id);
      return;
    }
    const { registration } = change;
    if (JSON.stringify(known.get(change.id)) === JSON.stringify(registration)) return;
    known.set(change.id, registration);
    options.log.info({ peer: change.id, url: registration.url }, 'another replica is there');
    options.tunnels.addPeer({
      id: change.id,
      url: registration.url.replace(/^https/, 'wss').replace(/\/*$/, path),
      headers: () => ({}),
      tls: tlsTowards(own, registration),
      // It may not have seen our registration yet when we dial it first.
      backoff: { minMs: 100, maxMs: 5000 },
    });
  });
}

function listener({ tunnels, log }: PeersOptions, own: PeerIdentity, known: Map<string, Registration>): Server {
  const server = createServer({
    cert: own.cert,
    key: own.key.reveal(),
    minVersion: 'TLSv1.3',
    requestCert: true,
    // Each has an authority of its own: the fingerprint decides, once the handshake has proved the key.
    rejectUnauthorized: false,
    headersTimeout: 10_000,
  });
  server.maxConnections = maxConnections;
  server.on('request', (_request, response) => response.writeHead(404).end());
  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => socket.destroy());
    const id = peerOf(socket as TLSSocket, known);
    if (id === undefined || request.url !== path) {
      log.warn({ remote: request.socket.remoteAddress }, 'somebody who is no replica was refused');
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    tunnels.acceptPeer(request, socket, head, { id }).catch((error: unknown) => {
      log.info({ peer: id, reason: messageOf(error) }, 'a replica’s tunnel could not be opened');
      socket.destroy();
    });
  });
  return server;
}

/** Which registered replica the certificate that the far end has proved to hold is of. */
function peerOf(socket: TLSSocket, known: ReadonlyMap<string, Registration>): string | undefined {
  const raw = socket.getPeerX509Certificate()?.raw;
  if (!raw) return undefined;
  const fingerprint = fingerprintOf(raw);
  return [...known.values()].find(peer => peer.fingerprint === fingerprint)?.id;
}

function listen(server: Server, at: PeersOptions['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const cause = messageOf(error);
      reject(unavailable(`can't listen for other replicas on ${at.host}:${at.port}: ${cause}`, { cause: error }));
    });
    server.listen(at, () => resolve());
  });
}

/** Registered for as long as the signal lasts; anew whenever the lease was lost. */
async function keepRegistered(options: PeersOptions, registration: Registration): Promise<void> {
  const { store, log, signal, leaseMs = 10_000 } = options;
  for (let failures = 0; !signal.aborted; ) {
    try {
      await using lease = await store.lease(leaseMs);
      const value = JSON.stringify(registration);
      await store.txn([lease.claim], [{ type: 'put', key: prefix + registration.id, value, lease }]);
      failures = 0;
      await aborted(anySignal(lease.lost, signal));
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ reason: messageOf(error) }, 'this replica can not be registered now');
      await sleep(backoffMs(failures++, { minMs: 100, maxMs: 5000 }), signal).catch(() => undefined);
    }
  }
}

interface Change {
  readonly id: string;
  /** Absent: it is gone. */
  readonly registration?: Registration;
}

/** Tells of every replica that is there, comes or goes, until the signal aborts. */
async function follow({ store, log, signal }: PeersOptions, tell: (change: Change) => void): Promise<void> {
  const seen = new Set<string>();
  const put = (key: string, value: string) => {
    const registration = parseRegistration(value);
    if (registration?.id !== key.slice(prefix.length)) return;
    seen.add(registration.id);
    tell({ id: registration.id, registration });
  };
  const drop = (id: string) => {
    if (seen.delete(id)) tell({ id });
  };
  for (let failures = 0; !signal.aborted; ) {
    try {
      const page = await store.list(prefix);
      const there = new Set(page.entries.map(({ key }) => key.slice(prefix.length)));
      for (const id of [...seen]) if (!there.has(id)) drop(id);
      for (const { key, value } of page.entries) put(key, value);
      for await (const event of store.watch(prefix, { after: page.revision, signal })) {
        failures = 0;
        if (event.type === 'put') put(event.entry.key, event.entry.value);
        else if (event.type === 'delete') drop(event.key.slice(prefix.length));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isExpired(error)) log.warn({ reason: messageOf(error) }, 'other replicas can not be followed now');
      await sleep(backoffMs(failures++, { minMs: 50, maxMs: 5000 }), signal).catch(() => undefined);
    }
  }
}
