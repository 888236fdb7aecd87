/**
 * The path to clusters, put together: agents dial in, users reach through, controllers keep each in step. What the
 * server's main opens once, after the caches are in step.
 */
import type { IncomingMessage } from 'node:http';
import type { Log } from '@drover/base';
import type { Store } from '@drover/store';
import { TunnelServer } from '@drover/tunnel';
import { type Auth, requireSameOrigin } from '../auth/index.ts';
import type { Removals } from '../auth/removals.ts';
import { connectRoute } from '../connect/connect-route.ts';
import { adoptForeign } from '../connect/foreign-agent.ts';
import { HostAdmission } from '../connect/host-admission.ts';
import { hostRoutes } from '../connect/host-route.ts';
import { importRoute } from '../connect/import-route.ts';
import { identityRoute, type ServerIdentity } from '../connect/server-identity.ts';
import { type AddressOf, connectedAddress } from '../http/client-address.ts';
import type { Route } from '../http/exchange.ts';
import type { AgentArchives } from '../provisioning/agent-archives.ts';
import { BundleFiles } from '../provisioning/bundles.ts';
import { HostTunnels } from '../provisioning/host-tunnels.ts';
import { mostNamespaceWatches } from '../proxy/namespace-watch.ts';
import { requirePodShell } from '../proxy/pod-shell.ts';
import { refusalNote } from '../proxy/refusal-note.ts';
import { type ProxyDeps, proxyRoutes } from '../proxy/route.ts';
import { ClusterTargets } from '../proxy/targets.ts';
import type { Caches, Resources } from '../resources/index.ts';
import { ClusterClients } from './clients.ts';
import { clusterOfNodeKey, NodeTunnels } from './node-tunnels.ts';
import { Presence } from './presence.ts';
import { indexRegistrationTokens } from './registration-token.ts';
import { ClusterUpstreams } from './upstreams.ts';

export interface ClustersDeps {
  readonly store: Store;
  readonly resources: Resources;
  readonly caches: Caches;
  /** What clusters have not confirmed yet to be gone. */
  readonly removals: Removals;
  readonly auth: Pick<Auth, 'access' | 'resolveIdentity' | 'sessions'>;
  /** Reads a setting; empty where it is not set. */
  readonly setting: (name: string) => string;
  readonly baseUrl: (request: IncomingMessage) => string;
  /** Where requests come from; who connected by default. */
  readonly addressOf?: AddressOf;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How agents know this server again. */
  readonly identity?: ServerIdentity;
  /** The agent as it is given to hosts. */
  readonly archives?: AgentArchives;
  /** Where bundles for hosts lie. */
  readonly bundleDirs?: readonly string[];
  /** Where agents reach this server, as far as it knows itself. */
  readonly ownUrl?: () => string;
  readonly onProxied?: ProxyDeps['onDone'];
  /** How soon, at the latest, what somebody edited of grants in a cluster is put right, in ms. */
  readonly repairEveryMs?: number;
}

export interface Clusters extends AsyncDisposable {
  readonly routes: Route[];
  readonly tunnels: TunnelServer;
  readonly upstreams: ClusterUpstreams;
  readonly targets: ClusterTargets;
  readonly presence: Presence;
  readonly hostTunnels: HostTunnels;
}

export function openClusters(deps: ClustersDeps): Clusters {
  const { resources, caches, auth, setting, baseUrl, addressOf = connectedAddress, log, signal } = deps;
  indexRegistrationTokens(caches);
  const presence = new Presence();
  const tunnels: TunnelServer = new TunnelServer({
    log,
    onSessions: (clientKey, live) => present(clientKey, live),
    onPeerClient: clientKey => present(clientKey, 0),
  });
  const nodes = new NodeTunnels();
  const hostTunnels = new HostTunnels(tunnels);
  const present = (clientKey: string, live: number) => {
    if (clientKey.startsWith('stv-')) return;
    hostTunnels.changed(clientKey);
    if (clientKey.startsWith('host-')) return;
    const all = live || (tunnels.has(clientKey) ? 1 : 0);
    if (clusterOfNodeKey(clientKey) === undefined) presence.set(clientKey, all);
    else nodes.set(clientKey, all > 0);
  };
  const upstreams = new ClusterUpstreams({ caches, tunnels, nodes, presence, signal });
  const targets = new ClusterTargets(upstreams, signal);
  const clients = new ClusterClients(upstreams, signal);
  const watching = new ClusterClients(upstreams, signal, { connections: mostNamespaceWatches });
  // A cluster that is gone for good has nobody to dial in for.
  caches.cluster.subscribe(({ key, after }) => {
    if (after) return;
    for (const clientKey of [key, ...nodes.keysOf(key)]) tunnels.closeClient(clientKey, 'the cluster was deleted');
    presence.forget(key);
  }, signal);
  const { identity, archives } = deps;
  const hosts = identity && new HostAdmission({ resources, caches, identity });
  const bundles = new BundleFiles(deps.bundleDirs ?? []);
  const routes = [
    ...proxyRoutes({
      targets,
      addressOf,
      access: auth.access,
      resolveIdentity: auth.resolveIdentity,
      signalFor: (caller, clusterId) => auth.sessions.signalFor(caller, clusterId),
      checkOrigin: (upgrade, caller) => requireSameOrigin(upgrade.request, caller, setting('server-url')),
      onDone: deps.onProxied,
      requirePodShell: () => requirePodShell(caches),
      noteRefusal: (caller, clusterId) => refusalNote({ caches, access: auth.access }, caller, clusterId),
      namespaces: {
        access: auth.access,
        caches,
        client: clusterId => clients.get(clusterId),
        watching: clusterId => watching.get(clusterId),
        signalOf: caller => auth.sessions.signalFor(caller),
      },
    }),
    connectRoute({
      resources,
      caches,
      tunnels,
      hosts,
      baseUrl,
      addressOf,
      adoptForeign: (cluster, params) => adoptForeign({ resources, tunnels, setting }, cluster, params),
      log,
    }),
    importRoute({ caches, setting, baseUrl, addressOf, serverKey: deps.identity?.publicKey }),
    ...(identity ? [identityRoute(identity)] : []),
    ...(hosts && archives ? hostRoutes({ hosts, archives, bundles, caches, identity, setting, baseUrl }) : []),
  ];
  return {
    routes,
    tunnels,
    upstreams,
    targets,
    presence,
    hostTunnels,
    async [Symbol.asyncDispose]() {
      await targets[Symbol.asyncDispose]();
      await tunnels[Symbol.asyncDispose]();
    },
  };
}
