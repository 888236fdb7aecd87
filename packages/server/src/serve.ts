/**
 * The server, put together from top to bottom: data, sign-in, clusters, front, controllers. Leaving the scope takes it
 * down in the opposite order. `/readyz` answers before any cluster is up: the server depends on none.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { aborted, invalid, type Log, messageOf, type Secret } from '@drover/base';
import { checkKeyring, FieldCipher, isHalfCopied, openKeyring } from '@drover/store';
import { apiRoutes } from './api/routes.ts';
import { auditRoute } from './audit/audit-route.ts';
import { openAudit } from './audit/open-audit.ts';
import { bootstrapAdmin, inactiveUsers, openAuth, openRemovals, tokenPurge, userCleanup } from './auth/index.ts';
import { assertionPurge, cliRequestPurge, groupRefresh } from './auth-providers/index.ts';
import { ensureBuiltinRoles } from './builtin-roles.ts';
import { ClusterShells } from './cluster-shells/cluster-shells.ts';
import { takeBackOldTokens } from './cluster-shells/shell-token.ts';
import { ClusterClients } from './clusters/clients.ts';
import { type ClustersDeps, openClusters } from './clusters/open.ts';
import { startClusterControllers } from './clusters/start-controllers.ts';
import { runCompaction } from './compaction.ts';
import type { Config } from './config.ts';
import { startPeers } from './connect/peers.ts';
import { openServerIdentity } from './connect/server-identity.ts';
import { clusterCreator, projectCreator } from './controllers/creator-bindings.ts';
import { driverSchemas } from './controllers/driver-schemas.ts';
import { indexNeeded, orphanedBindings } from './controllers/orphaned-bindings.ts';
import { workspaceNamespaces } from './controllers/workspace-namespaces.ts';
import { openDataDir } from './data-dir.ts';
import { ensureFeatures } from './features.ts';
import { defaultWorkspace, ensureWorkspaces } from './fleet-workspaces.ts';
import { historyRoute } from './history/route.ts';
import { baseUrl } from './http/base-url.ts';
import { behindProxies } from './http/client-address.ts';
import { Front } from './http/front.ts';
import { healthRoutes } from './http/health.ts';
import { homeRoute } from './http/home.ts';
import { createMetrics, metricsRoute } from './http/metrics.ts';
import { openMetricsToken } from './http/metrics-token.ts';
import { ensureKontainerDrivers } from './kontainer-drivers.ts';
import { kubeApiRoutes } from './kubeapi/route.ts';
import { ensureNodeDrivers } from './node-drivers.ts';
import { openStore } from './open-store.ts';
import { ensureTemplates } from './pod-security-templates.ts';
import { AgentArchives } from './provisioning/agent-archives.ts';
import { createCaches, Resources, type RunningController, startCaches, startController } from './resources/index.ts';
import { Settings } from './settings.ts';
import { shareCa } from './shared-ca.ts';
import { openSteve } from './steve/open.ts';
import { openTls, watchTls } from './tls.ts';
import { openUiFiles } from './ui/files.ts';
import { uiRoute } from './ui/route.ts';
import { runClusters } from './up/run-clusters.ts';
import { usageRoute } from './usage/route.ts';

export interface ServeOptions {
  readonly config: Config;
  /** A line for whoever started it. */
  readonly say: (line: string) => void;
  readonly log: Log;
  /** Asks for the end; what runs is drained. */
  readonly signal: AbortSignal;
}

/** Serves until the signal aborts, and resolves when everything has ended. */
export async function serve({ config, say, log, signal }: ServeOptions): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const life = new AbortController();

  await openDataDir(config.dataDir);
  const addressOf = behindProxies(config.trustedProxies);
  const audit = config.audit && scope.use(await openAudit(config.audit, { addressOf, log }));
  const keyring = openKeyring(config.secretsKeyFile);
  const store = scope.use(await openStore(config, config.store));
  if (await isHalfCopied(store)) throw invalid('--store', 'a copy into this store was broken off; copy into it again');
  await checkKeyring(store, keyring);
  // What writes to the store ends before the store does.
  scope.defer(() => life.abort(new Error('the server has stopped')));

  const cipher = new FieldCipher(keyring);
  const resources = new Resources(store, cipher);
  const caches = createCaches(resources, log);
  await startCaches(caches, life.signal);
  const settings = new Settings(resources, caches);
  if (config.store.type === 'etcd' && !config.tls.cert) await shareCa(store, cipher, join(config.dataDir, 'tls'));
  const tls = await openTls(config);
  settings.fix('cacerts', tls.cacerts.trim());
  if (config.serverUrl) settings.fix('server-url', config.serverUrl);
  await settings.init({});
  await Promise.all([
    ensureBuiltinRoles(resources, caches),
    ensureFeatures(resources, caches),
    ensureKontainerDrivers(resources, caches),
    ensureNodeDrivers(resources, caches),
    ensureTemplates(resources, caches),
    ensureWorkspaces({ resources, caches, settings }),
  ]);

  const metrics = createMetrics();
  const metricsToken = await openMetricsToken(config.dataDir);
  const removals = await openRemovals({ store, resources, caches, log, signal: life.signal });
  const auth = openAuth({ resources, caches, settings }, { baseUrl, addressOf, log, removals, signal: life.signal });
  const admin = await bootstrapAdmin({ resources, caches, settings }, config.bootstrapPassword);
  const identity = await openServerIdentity(store, cipher);
  const archives = new AgentArchives(config.agentImages);
  const clustersDeps: ClustersDeps = {
    store,
    resources,
    caches,
    removals,
    auth,
    setting: (name: string) => settings.get(name),
    baseUrl,
    addressOf,
    log,
    signal: life.signal,
    onProxied: metrics.onProxied,
    identity,
    archives,
    bundleDirs: config.bundleDirs,
    ownUrl: (): string => `https://${hostOf(config)}:${front.port}`,
  };
  const clusters = scope.use(openClusters(clustersDeps));

  const { upstreams } = clusters;
  const clients = new ClusterClients(upstreams, life.signal);
  const hosts = { archives, serverKey: identity.publicKey };
  const apiDeps = { resources, caches, auth, settings, upstreams, clients, hosts, log };
  const steve = scope.use(
    openSteve({ api: apiDeps, baseUrl, dir: join(config.dataDir, 'lists'), signal: life.signal }),
  );
  if (config.store.type === 'sqlite') await takeBackOldTokens(apiDeps);
  const shells = new ClusterShells(apiDeps);
  const controllers: RunningController[] = [];
  const ui = openUiFiles();
  const front = scope.use(
    new Front({
      listen: config.listen,
      tls,
      authenticate: auth.authenticate,
      log,
      onDone: metrics.onRequest,
      observer: audit?.observer,
      routes: [
        ...healthRoutes({ store: async () => void (await store.revision()) }, settings.get('server-version')),
        ...auth.routes,
        ...clusters.routes,
        ...kubeApiRoutes({
          deps: apiDeps,
          baseUrl,
          serverVersion: settings.get('server-version'),
          through: clusters.routes,
        }),
        ...steve.routes,
        ...apiRoutes(apiDeps, baseUrl, { realmOf: steve.realmOf, shells }),
        usageRoute(apiDeps, life.signal),
        historyRoute(apiDeps, store),
        auditRoute(apiDeps, config.audit),
        metricsRoute(metrics, { access: () => auth.access, token: metricsToken }),
        uiRoute(ui),
        homeRoute(baseUrl, () => ui() !== undefined),
      ],
    }),
  );
  await front.listen();
  const replica = randomUUID();
  if (config.store.type === 'etcd') {
    const peerPort = config.peerUrl ? Number(new URL(config.peerUrl).port || 443) : 0;
    const listen = { host: config.listen.host, port: peerPort };
    await startPeers({
      store,
      tunnels: clusters.tunnels,
      id: replica,
      listen,
      url: config.peerUrl,
      log,
      signal: life.signal,
    });
  }
  void runCompaction(store, { log, signal: life.signal });
  void watchTls(config, tls, { onChange: next => front.setTls(next), log, signal: life.signal });

  const url = `https://${hostOf(config)}:${front.port}`;
  announce(say, { url, fingerprint: tls.fingerprint, password: admin?.password, dataDir: config.dataDir });

  const context = { resources, caches, log, signal: life.signal };
  indexNeeded(caches);
  controllers.push(
    ...startClusterControllers(clustersDeps, clusters, replica),
    startController(tokenPurge, context),
    startController(assertionPurge, context),
    startController(cliRequestPurge, context),
    startController(groupRefresh({ resources, caches, settings }), context),
    startController(userCleanup, context),
    startController(inactiveUsers({ resources, caches, settings }), context),
    startController(clusterCreator, context),
    startController(projectCreator, context),
    startController(driverSchemas, context),
    startController(defaultWorkspace, context),
    startController(workspaceNamespaces({ clients }), context),
    ...orphanedBindings.map(sweep => startController(sweep, context)),
  );
  metrics.observe({
    sessions: () => clusters.tunnels.sessions(),
    queues: () => controllers,
    watchLag: () => Object.values(caches).map(cache => [cache.id, cache.watchLagMs] as const),
    audit: () => audit?.counts() ?? [],
  });
  const clustersLife = new AbortController();
  const running = runClusters({
    config,
    resources,
    caches,
    installUuid: settings.get('install-uuid'),
    upstreams: clusters.upstreams,
    url,
    caFile: tls.cacerts ? join(config.dataDir, 'tls', 'ca.crt') : undefined,
    say,
    log,
    signal: clustersLife.signal,
  }).catch(error => {
    log.error({ err: error }, 'the cluster to manage can not be run');
    say(`cluster: ${messageOf(error)}`);
  });

  await aborted(signal);
  say('stopping …');
  // While there are ways into the clusters still: the agent beside the server ends then, and draining ends the others' tunnels.
  await shells[Symbol.asyncDispose]();
  clustersLife.abort(signal.reason);
  await front.drain(config.drainMs);
  await running;
}

/** The host that people type: a wildcard address is none. */
function hostOf({ listen, serverUrl }: Config): string {
  if (serverUrl && new URL(serverUrl).port === String(listen.port)) return new URL(serverUrl).hostname;
  if (listen.host === '0.0.0.0' || listen.host === '::') return 'localhost';
  return listen.host.includes(':') ? `[${listen.host}]` : listen.host;
}

interface Announcement {
  readonly url: string;
  readonly fingerprint: string;
  readonly password: Secret | undefined;
  readonly dataDir: string;
}

function announce(say: (line: string) => void, { url, fingerprint, password, dataDir }: Announcement): void {
  say('');
  say(`  Drover      ${url}`);
  say(`  data        ${dataDir}`);
  if (fingerprint) say(`  CA SHA-256  ${fingerprint}`);
  if (password) say(`  first sign-in: user admin, password ${password.reveal()} (until it is changed)`);
  say('');
  say(`ready ${url}`);
}
