/** `/v3/subscribe`: a WebSocket on which a caller is told of what he may see. Frames of the client mean nothing. */
import { anySignal, badRequest, StatusError, tooManyRequests } from '@drover/base';
import { type WebSocket, WebSocketServer } from 'ws';
import { requireSameOrigin } from '../auth/index.ts';
import type { Caller, Upgrade } from '../http/exchange.ts';
import type { ApiView, ServedType } from './behaviour.ts';
import { findType, servedTypes } from './registry.ts';
import { refersTo } from './schemas.ts';
import { runSubscription } from './subscription.ts';

const perUser = 64;
const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
});

/** Takes upgrades for callers who may; a user holds so many at once and no more. */
export function subscriptions(): (view: ApiView, upgrade: Upgrade) => Promise<void> {
  const open = new Map<string, number>();
  return async (view, upgrade) => {
    const { deps, caller } = view;
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
    sockets.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, socket => {
      void serve(view, socket, { types, query: upgrade.query, session: sessionOf(view, caller) });
    });
  };
}

const sessionOf = ({ deps, context }: ApiView, caller: Caller) =>
  deps.auth.sessions.signalFor(caller, context?.type === 'cluster' ? context.id : undefined);

interface Served {
  readonly types: readonly ServedType[];
  readonly query: URLSearchParams;
  /** Aborts when the caller's token is taken back. */
  readonly session: AbortSignal;
}

async function serve(view: ApiView, socket: WebSocket, { types, query, session }: Served): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => socket.terminate());
  socket.once('close', () => gone.abort());
  const end = () => socket.close(1008, 'the session has ended');
  if (session.aborted) end();
  session.addEventListener('abort', end, { once: true });
  const send = (name: string, data: object) =>
    new Promise<void>((resolve, reject) =>
      socket.send(JSON.stringify({ name, data }), error => (error ? reject(error) : resolve())),
    );
  try {
    await runSubscription(view, { types, query, send, signal: anySignal(gone.signal, session) });
  } catch (error) {
    if (gone.signal.aborted) return;
    view.deps.log.error({ err: error }, 'a subscription ended in a way it should not');
    socket.close(1011, 'internal error');
  } finally {
    session.removeEventListener('abort', end);
  }
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
