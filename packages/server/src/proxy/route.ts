/**
 * The proxy: `/k8s/clusters/<id>/…` to the cluster's kube-apiserver as the signed-in user. Cookies don't sign in here
 * but for looking into pods: pages of pods and services are served below the same prefix and share our origin with whoever has a session.
 */
import { isUnavailable } from '@drover/base';
import { type ForwardOptions, type ForwardTarget, forward, forwardUpgrade } from '@drover/kube';
import { type Access, requireNotHeldBack } from '../auth/access.ts';
import { type Identity, identityHeaders, type ResolveIdentity } from '../auth/impersonation.ts';
import type { Upstream } from '../clusters/upstream.ts';
import { notMember } from '../explain/refusal.ts';
import type { AddressOf } from '../http/client-address.ts';
import type { Caller, Exchange, Route, Upgrade } from '../http/exchange.ts';
import { addToAnswer, dropFromAnswer, outgoingHeaders } from './headers.ts';
import { isLookInside, requireReading } from './look-inside.ts';
import { answerList } from './namespace-list.ts';
import { type NamespaceDeps, namespacesAsked, viewOf } from './namespace-view.ts';
import { answerWatch } from './namespace-watch.ts';
import { namespaceOf, parseProxyPath, proxyPrefixes } from './path.ts';
import { isPodShell } from './pod-shell.ts';
import { warning } from './refusal-note.ts';
import type { ClusterTargets } from './targets.ts';

export interface ProxyDeps {
  readonly targets: ClusterTargets;
  readonly access: Pick<Access, 'mayReach' | 'isHeldBack'>;
  readonly resolveIdentity: ResolveIdentity;
  /** Aborts when the caller must not go on: token taken back, user disabled, no longer a member. */
  readonly signalFor: (caller: Caller, clusterId: string) => AbortSignal;
  readonly addressOf: AddressOf;
  /** Throws Forbidden when a page of another origin opens a WebSocket. */
  readonly checkOrigin: (upgrade: Upgrade, caller: Caller) => void;
  readonly namespaces: NamespaceDeps;
  /** Throws Forbidden while nobody may run commands in pods. */
  readonly requirePodShell: () => void;
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
  const reached = explained(exchange, () => reach(deps, exchange, { caller: asked.caller, clusterId, rest }));
  const { target } = reached;
  const options = optionsFor(deps, exchange, { ...reached, caller: asked.caller, path: rest + exchange.search });
  try {
    const verb = namespacesAsked(exchange, rest);
    if (verb && (await answerNamespaces(deps, exchange, { ...reached, ...asked, verb }))) return;
    await forward(exchange.request, exchange.response, { target, options });
  } finally {
    deps.onDone?.({ clusterId, upgrade: false, ms: performance.now() - started });
  }
}

/** Answers for who may not have the cluster's own namespaces; false for everybody else. */
async function answerNamespaces(
  deps: ProxyDeps,
  exchange: Exchange,
  { verb, identity, upstream: { clusterId }, caller }: Reached & Asked & { readonly verb: 'list' | 'watch' },
): Promise<boolean> {
  const signal = deps.signalFor(caller, clusterId);
  const view = await viewOf(deps.namespaces, exchange, { verb, clusterId, caller, identity, signal });
  if (!view) return false;
  for (let at = 0; at < addToAnswer.length; at += 2)
    exchange.response.setHeader(addToAnswer[at]!, addToAnswer[at + 1]!);
  await (verb === 'list' ? answerList(view, exchange) : answerWatch(view, exchange));
  return true;
}

async function handleUpgrade(deps: ProxyDeps, upgrade: Upgrade, asked: Asked): Promise<void> {
  const started = performance.now();
  deps.checkOrigin(upgrade, asked.caller);
  const { clusterId, rest } = parseProxyPath(upgrade.path, asked.prefix);
  const reached = reach(deps, upgrade, { caller: asked.caller, clusterId, rest });
  const { target } = reached;
  const options = optionsFor(deps, upgrade, { ...reached, caller: asked.caller, path: rest + upgrade.search });
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

interface Reached {
  readonly identity: Identity;
  readonly upstream: Upstream;
  readonly target: ForwardTarget;
}

/** One text for what is not there and for what is not the caller's, so that ids can't be tried out. */
function reach(
  deps: ProxyDeps,
  { request }: Exchange | Upgrade,
  { caller, clusterId, rest }: { readonly caller: Caller; readonly clusterId: string; readonly rest: string },
): Reached {
  const scoped = caller.clusterId !== undefined && caller.clusterId !== clusterId;
  if (scoped || !deps.access.mayReach(caller, clusterId)) throw notMember(clusterId);
  if (isPodShell(rest)) deps.requirePodShell();
  const identity = deps.resolveIdentity(caller, request.rawHeaders, clusterId);
  requireNotHeldBack(deps.access, identity, { clusterId, namespace: namespaceOf(rest) });
  return { identity, ...deps.targets.get(clusterId) };
}

function optionsFor(
  deps: ProxyDeps,
  { request }: Exchange | Upgrade,
  to: Reached & { readonly caller: Caller; readonly path: string },
): ForwardOptions {
  const { caller, upstream, identity } = to;
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
