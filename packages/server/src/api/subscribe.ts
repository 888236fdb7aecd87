/** `/v3/subscribe`: a WebSocket on which a caller is told of what he may see. Frames of the client mean nothing. */
import type { Duplex } from 'node:stream';
import { StatusError } from '@drover/base';
import type { WebSocket } from 'ws';
import { requireSameOrigin } from '../auth/index.ts';
import type { Caller, Upgrade } from '../http/exchange.ts';
import { Hub } from '../subscribe/hub.ts';
import { acceptSockets, sinkOf } from '../subscribe/sockets.ts';
import type { ApiView, ServedType } from './behaviour.ts';
import { findType, servedTypes } from './registry.ts';
import { refersTo } from './schemas.ts';

/** Takes upgrades for callers who may; a user holds so many at once and no more. */
export function subscriptions(): (view: ApiView, upgrade: Upgrade) => Promise<void> {
  const accept = acceptSockets();
  let hub: Hub | undefined;
  return async (view, upgrade) => {
    const { caller, deps } = view;
    requireSameOrigin(upgrade.request, caller, deps.settings.get('server-url') || undefined);
    const types = wantedTypes(view, upgrade.query);
    hub ??= new Hub(deps);
    const to = hub;
    accept(upgrade, caller, socket => {
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
