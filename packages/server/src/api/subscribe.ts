/** `/v3/subscribe`: a WebSocket on which a caller is told of what he may see. Frames of the client mean nothing. */
import type { Duplex } from 'node:stream';
import { badRequest, StatusError, tooManyRequests } from '@drover/base';
import { type WebSocket, WebSocketServer } from 'ws';
import { requireSameOrigin } from '../auth/index.ts';
import type { Caller, Upgrade } from '../http/exchange.ts';
import { Hub } from '../subscribe/hub.ts';
import type { Sink } from '../subscribe/subscriber.ts';
import type { ApiView, ServedType } from './behaviour.ts';
import { findType, servedTypes } from './registry.ts';
import { refersTo } from './schemas.ts';

const perUser = 64;
/** How long a client that is dropped has to take note of it. */
const goodbyeMs = 2000;
const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
});

/** Takes upgrades for callers who may; a user holds so many at once and no more. */
export function subscriptions(): (view: ApiView, upgrade: Upgrade) => Promise<void> {
  const open = new Map<string, number>();
  let hub: Hub | undefined;
  return async (view, upgrade) => {
    const { caller, deps } = view;
    requireSameOrigin(upgrade.request, caller, deps.settings.get('server-url') || undefined);
    const types = wantedTypes(view, upgrade.query);
    if (upgrade.request.headers.upgrade?.toLowerCase() !== 'websocket')
      throw badRequest('this is where clients subscribe: it takes WebSocket upgrades only');
    const count = open.get(caller.userId) ?? 0;
    if (count >= perUser) throw tooManyRequests(`you have ${perUser} subscriptions open`, 5);
    open.set(caller.userId, count + 1);
    upgrade.socket.once('close', () => {
      const left = open.get(caller.userId)! - 1;
      if (left > 0) open.set(caller.userId, left);
      else open.delete(caller.userId);
    });
    hub ??= new Hub(deps);
    const to = hub;
    sockets.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, socket => {
      serve(to, view, { socket, raw: upgrade.socket, types, query: upgrade.query });
    });
  };
}

const sessionOf = ({ deps, context }: ApiView, caller: Caller) =>
  deps.auth.sessions.signalFor(caller, context?.type === 'cluster' ? context.id : undefined);

interface Connected {
  readonly socket: WebSocket;
  /** What the WebSocket runs over: it knows whether the client keeps up. */
  readonly raw: Duplex;
  readonly types: readonly ServedType[];
  readonly query: URLSearchParams;
}

function serve(hub: Hub, view: ApiView, { socket, raw, types, query }: Connected): void {
  // It aborts when the caller's token is taken back.
  const session = sessionOf(view, view.caller);
  const sink = sinkOf(socket, raw, ({ code, reason }) => {
    if (code === 1013) view.deps.log.info({ user: view.caller.userId, reason }, 'a subscriber was dropped');
  });
  const end = () => sink.close(1008, 'the session has ended');
  socket.on('error', () => socket.terminate());
  if (session.aborted) {
    end();
    return;
  }
  const subscriber = hub.add(view, { types, query, sink, resume: query.get('resume') ?? undefined });
  raw.on('drain', () => void subscriber.pump());
  socket.on('pong', () => subscriber.heard());
  session.addEventListener('abort', end, { once: true });
  socket.once('close', () => {
    session.removeEventListener('abort', end);
    hub.remove(subscriber);
  });
}

function sinkOf(socket: WebSocket, raw: Duplex, onClose: (why: { code: number; reason: string }) => void): Sink {
  return {
    isReady: () => socket.readyState === socket.OPEN && !raw.writableNeedDrain,
    send: frame => socket.send(frame, { binary: false }),
    probe: () => socket.ping(),
    close(code, reason) {
      if (socket.readyState !== socket.OPEN) return;
      onClose({ code, reason });
      socket.close(code, reason);
      setTimeout(() => socket.terminate(), goodbyeMs).unref();
    },
  };
}

/** The types asked for, or all that are kept here; a context's are those that say which cluster or project they are of. */
function wantedTypes({ context }: ApiView, query: URLSearchParams): ServedType[] {
  const names = query.getAll('resourceTypes');
  const stored = servedTypes.filter(type => type.stored && (!context || refersTo(type.declaration.id, context.type)));
  if (names.length === 0) return stored;
  const asked = new Set(names.map(name => findType(name)));
  const found = stored.filter(type => asked.has(type));
  if (found.length === 0) throw new StatusError(404, 'NotFound', `nothing to subscribe to among ${names.join(', ')}`);
  return found;
}
