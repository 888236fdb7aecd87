/**
 * The proxy: `/k8s/clusters/<id>/…` to the cluster's kube-apiserver as the signed-in user. Cookies don't sign in here
 * but for looking into pods: pages of pods and services are served below the same prefix and share our origin with whoever has a session.
 */
import { isUnavailable } from '@drover/base';
import { type ForwardOptions, forward, forwardUpgrade } from '@drover/kube';
import type { Access } from '../auth/access.ts';
import { identityHeaders, type ResolveIdentity } from '../auth/impersonation.ts';
import type { Upstream } from '../clusters/upstream.ts';
import { notMember } from '../explain/refusal.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Caller, Exchange, Route, Upgrade } from '../http/exchange.ts';
import { addToAnswer, dropFromAnswer, outgoingHeaders } from './headers.ts';
import { isLookInside, requireReading } from './look-inside.ts';
import { filteredNamespaces, isNamespaceList, type NamespaceListDeps } from './namespace-list.ts';
import { parseProxyPath, proxyPrefixes } from './path.ts';
import { warning } from './refusal-note.ts';
import type { ClusterTargets } from './targets.ts';

export interface ProxyDeps {
  readonly targets: ClusterTargets;
  readonly access: Pick<Access, 'mayReach'>;
  readonly resolveIdentity: ResolveIdentity;
  /** Aborts when the caller must not go on: token taken back, user disabled, no longer a member. */
  readonly signalFor: (caller: Caller, clusterId: string) => AbortSignal;
  readonly addressOf: AddressOf;
  /** Throws Forbidden when a page of another origin opens a WebSocket. */
  readonly checkOrigin: (upgrade: Upgrade, caller: Caller) => void;
  readonly namespaces: NamespaceListDeps;
  /** Raw headers beside a refusal of the cluster's. */
  readonly noteRefusal: (caller: Caller, clusterId: string) => readonly string[];
  /** Told of each request that is over. */
  readonly onDone?: (done: { readonly clusterId: string; readonly upgrade: boolean; readonly ms: number }) => void;
}

/** The two prefixes that the proxy answers under: the second is an old name that clients still use. */
export function proxyRoutes(deps: ProxyDeps): Route[] {
  const route = (prefix: string): Route => ({
    prefix,
    signIn: 'user',
    cookies: false,
    errors: 'status',
    handle: (exchange, caller) => handle(deps, exchange, { prefix, caller: caller! }),
    upgrade: (upgrade, caller) => handleUpgrade(deps, upgrade, { prefix, caller: caller! }),
  });
  const [first] = proxyPrefixes;
  const inside: Route = {
    ...route(first),
    cookies: true,
    takes: isLookInside,
    async handle(exchange, caller) {
      requireReading(exchange, caller!);
      await handle(deps, exchange, { prefix: first, caller: caller! });
    },
  };
  return [inside, ...proxyPrefixes.map(route)];
}

interface Asked {
  readonly prefix: string;
  readonly caller: Caller;
}

async function handle(deps: ProxyDeps, exchange: Exchange, asked: Asked): Promise<void> {
  const started = performance.now();
  const { clusterId, rest } = parseProxyPath(exchange.path, asked.prefix);
  const { upstream, target } = explained(exchange, () => reach(deps, asked.caller, clusterId));
  const options = optionsFor(deps, exchange, { caller: asked.caller, upstream, path: rest + exchange.search });
  try {
    if (isNamespaceList(exchange, rest) && (await answerNamespaces(deps, exchange, { clusterId, asked }))) return;
    await forward(exchange.request, exchange.response, { target, options });
  } finally {
    deps.onDone?.({ clusterId, upgrade: false, ms: performance.now() - started });
  }
}

/** Answers the list of namespaces for who may not have the cluster's own; false for everybody else. */
async function answerNamespaces(
  deps: ProxyDeps,
  exchange: Exchange,
  { clusterId, asked: { caller } }: { clusterId: string; asked: Asked },
): Promise<boolean> {
  const identity = deps.resolveIdentity(caller, exchange.request.rawHeaders, clusterId);
  const signal = deps.signalFor(caller, clusterId);
  const list = await filteredNamespaces(deps.namespaces, exchange, { clusterId, caller, identity, signal });
  if (list === undefined) return false;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(list) };
  exchange.response.writeHead(200, headers).end(list);
  return true;
}

async function handleUpgrade(deps: ProxyDeps, upgrade: Upgrade, asked: Asked): Promise<void> {
  const started = performance.now();
  deps.checkOrigin(upgrade, asked.caller);
  const { clusterId, rest } = parseProxyPath(upgrade.path, asked.prefix);
  const { upstream, target } = reach(deps, asked.caller, clusterId);
  const options = optionsFor(deps, upgrade, { caller: asked.caller, upstream, path: rest + upgrade.search });
  try {
    await forwardUpgrade(upgrade, { target, options });
  } finally {
    deps.onDone?.({ clusterId, upgrade: true, ms: performance.now() - started });
  }
}

/**
 * While kubectl looks for what a server has, it shows no message of a 503 but its own; a Warning (RFC 7234 §5.5) it does
 * show.
 */
function explained<T>(exchange: Exchange, get: () => T): T {
  try {
    return get();
  } catch (error) {
    if (isUnavailable(error)) {
      exchange.response.setHeader('Warning', warning(error.message));
    }
    throw error;
  }
}

/** One text for what is not there and for what is not the caller's, so that ids can't be tried out. */
function reach(deps: ProxyDeps, caller: Caller, clusterId: string): ReturnType<ClusterTargets['get']> {
  const scoped = caller.clusterId !== undefined && caller.clusterId !== clusterId;
  if (scoped || !deps.access.mayReach(caller, clusterId)) throw notMember(clusterId);
  return deps.targets.get(clusterId);
}

function optionsFor(
  deps: ProxyDeps,
  from: Exchange | Upgrade,
  to: { readonly caller: Caller; readonly upstream: Upstream; readonly path: string },
): ForwardOptions {
  const { request } = from;
  const { caller, upstream } = to;
  const identity = deps.resolveIdentity(caller, request.rawHeaders, upstream.clusterId);
  return {
    path: to.path,
    headers: outgoingHeaders(request.rawHeaders, {
      identity: identityHeaders(identity),
      authorization: upstream.token && `Bearer ${upstream.token.reveal()}`,
      remoteAddress: deps.addressOf(request),
      host: request.headers.host,
    }),
    dropHeader: dropFromAnswer,
    addHeaders: addToAnswer,
    explain: status => (status === 403 ? deps.noteRefusal(caller, upstream.clusterId) : []),
    signals: [deps.signalFor(caller, upstream.clusterId)],
  };
}
