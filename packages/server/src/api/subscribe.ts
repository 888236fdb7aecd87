/** `/v3/subscribe`: a WebSocket on which a caller is told of what he may see. Frames of the client mean nothing. */
import type { Duplex } from 'node:stream';
import { StatusError } from '@drover/base';
import type { WebSocket } from 'ws';
import { requireSameOrigin } from '../auth/index.ts';
import type { Caller, Upgrade } from '../http/exchange.ts';
import { clusterOf } from '../live/as-caller.ts';
import { type LiveSource, liveSources } from '../live/live-sources.ts';
import { LiveSubscriber } from '../live/live-subscriber.ts';
import type { Realm } from '../steve/realm.ts';
import { Hub } from '../subscribe/hub.ts';
import { acceptSockets, sinkOf } from '../subscribe/sockets.ts';
import type { ApiView, ServedType } from './behaviour.ts';
import { findType, servedTypes } from './registry.ts';
import { refersTo } from './schemas.ts';

/** A cluster as its caller sees it; throws where it is none of his, or away. */
export type RealmOf = (caller: Caller, clusterId: string) => Realm;

/** Takes upgrades for callers who may; a user holds so many at once and no more. Without realms, only for what is kept here. */
export function subscriptions(realmOf?: RealmOf): (view: ApiView, upgrade: Upgrade) => Promise<void> {
  const accept = acceptSockets();
  let hub: Hub | undefined;
  return async (view, upgrade) => {
    const { caller, deps } = view;
    requireSameOrigin(upgrade.request, caller, deps.settings.get('server-url') || undefined);
    const { types, sources } = wantedTypes(view, upgrade.query, realmOf !== undefined);
    const realm = sources.length > 0 ? realmOf?.(caller, clusterOf(view)) : undefined;
    hub ??= new Hub(deps);
    const to = hub;
    accept(upgrade, caller, socket => {
      serve(to, view, { socket, raw: upgrade.socket, types, sources, realm, query: upgrade.query });
    });
  };
}

const sessionOf = (view: ApiView, caller: Caller) =>
  view.deps.auth.sessions.signalFor(caller, clusterOf(view) || undefined);

interface Connected {
  readonly socket: WebSocket;
  /** What the WebSocket runs over: it knows whether the client keeps up. */
  readonly raw: Duplex;
  readonly types: readonly ServedType[];
  readonly sources: readonly LiveSource[];
  readonly realm: Realm | undefined;
  readonly query: URLSearchParams;
}

function serve(hub: Hub, view: ApiView, { socket, raw, types, sources, realm, query }: Connected): void {
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
  const live = realm && new LiveSubscriber(view, { realm, sources, query, sink, log: view.deps.log });
  raw.on('drain', () => {
    void subscriber.pump();
    void live?.pump();
  });
  socket.on('pong', () => subscriber.heard());
  session.addEventListener('abort', end, { once: true });
  socket.once('close', () => {
    session.removeEventListener('abort', end);
    live?.close();
    hub.remove(subscriber);
  });
}

/**
 * The types asked for, or all that are kept here; a context's are those that say which cluster or project they are of. What is
 * in the cluster itself is told of where it is named.
 */
function wantedTypes(
  { context }: ApiView,
  query: URLSearchParams,
  hasRealms: boolean,
): { readonly types: readonly ServedType[]; readonly sources: readonly LiveSource[] } {
  const names = query.getAll('resourceTypes');
  const stored = servedTypes.filter(type => type.stored && (!context || refersTo(type.declaration.id, context.type)));
  if (names.length === 0) return { types: stored, sources: [] };
  const asked = new Set(names.map(name => findType(name, context?.type)));
  const types = stored.filter(type => asked.has(type));
  const inCluster = [...asked].filter(type => type?.context !== undefined && type.context === context?.type);
  const sources = hasRealms ? inCluster.flatMap(type => liveSources(type!)) : [];
  if (types.length + sources.length === 0)
    throw new StatusError(404, 'NotFound', `nothing to subscribe to among ${names.join(', ')}`);
  return { types, sources };
}
