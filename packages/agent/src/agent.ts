/**
 * The cluster agent: keeps a tunnel to the server and serves what comes through it. Starts whatever the state of the
 * server or the cluster is, and says in its health and its log what it waits for.
 */
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { anySignal, backoffMs, type Log, messageOf, sleep } from '@drover/base';
import { type Connection, inClusterConnection, KubeClient, loadKubeconfig, toConnection } from '@drover/kube';
import { connectTunnel } from '@drover/tunnel';
import { createApiServer } from './api-server.ts';
import type { AgentConfig } from './config.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { examine } from './doctor.ts';
import { AgentState, answerHealth, startHealth } from './health.ts';
import { type ClusterIdentity, readIdentity } from './identity.ts';
import { requireServerIdentity } from './server-identity.ts';
import { serverCa } from './server-trust.ts';
import { openTarget } from './tunnel-target.ts';
import { agentVersion } from './version.ts';

/** How often the mounted credentials are looked at for a new server. */
const credentialsEveryMs = 15_000;

/** Runs until the signal aborts; throws at once for what no retry mends, such as a kubeconfig that can't be read. */
export async function runAgent(config: AgentConfig, context: { log: Log; signal: AbortSignal }): Promise<void> {
  const { log, signal } = context;
  const connection = await clusterConnection(config);
  await using kube = new KubeClient(connection, { userAgent: `drover-agent/${agentVersion}`, timeoutMs: 10_000 });
  await using api = createApiServer(connection, log);
  const state = new AgentState();
  const health = config.health && (await startHealth(state, config.health));
  if (health) log.info({ port: health.port }, 'health is answered');
  try {
    while (!signal.aborted) {
      const ready = await retrying('not ready to connect', context, state, async () => {
        const credentials = await readCredentials(config);
        const ca = await serverCa(config, credentials.server, signal);
        return { credentials, ca, identity: await readIdentity(kube, signal) };
      });
      if (!ready) break;
      await connect({ config, context, state, kube, api, ...ready });
    }
  } finally {
    await health?.[Symbol.asyncDispose]();
  }
}

async function clusterConnection(config: AgentConfig): Promise<Connection> {
  if (config.kubeconfig === undefined) return (await inClusterConnection()).connection;
  return toConnection(await loadKubeconfig({ path: config.kubeconfig }), { context: config.context });
}

/** Tries until it works or the signal aborts (undefined); what is wrong is logged when it changes. */
async function retrying<T>(
  what: string,
  { log, signal }: { log: Log; signal: AbortSignal },
  state: AgentState,
  attempt: () => Promise<T>,
): Promise<T | undefined> {
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) break;
      const message = messageOf(error);
      if (message !== state.lastError) log.warn({ reason: message }, what);
      state.lastError = message;
      await sleep(backoffMs(tries, { minMs: 500, maxMs: 15_000 }), signal).catch(() => undefined);
    }
  }
  return undefined;
}

interface Connecting {
  readonly config: AgentConfig;
  readonly context: { readonly log: Log; readonly signal: AbortSignal };
  readonly state: AgentState;
  readonly kube: KubeClient;
  readonly api: { serve(stream: Duplex): void };
  readonly credentials: Credentials;
  readonly ca: string | undefined;
  readonly identity: ClusterIdentity;
}

/** Keeps the tunnel to one server; returns when the credentials name another one, or at the end. */
async function connect(connecting: Connecting): Promise<void> {
  const { config, context, state, kube, api, credentials, ca, identity } = connecting;
  const { log } = context;
  const moved = new AbortController();
  const signal = anySignal(context.signal, moved.signal);
  const self = createSelfServer(state, () => examine({ server: credentials.server, ca, kube }));
  const servers = { kubernetes: api, agent: self, allow: config.allow };
  void watchServer(config, credentials, signal).then(
    () => moved.abort(new Error('the credentials name another server')),
    () => undefined,
  );
  const agent = { version: agentVersion, ...identity, ...(config.node === undefined ? {} : { node: config.node }) };
  const params = Buffer.from(JSON.stringify({ agent })).toString('base64');
  await connectTunnel({
    url: `${credentials.server.replace(/^http/, 'ws')}/v3/connect`,
    headers: async () => {
      // Before the token is shown, and each time: a name can be somebody else's since the last connection.
      if (config.serverKey)
        await requireServerIdentity(credentials.server, { serverKey: config.serverKey, ca, signal });
      // Read anew each time: a rotated token must be used from the next connection on.
      const { token } = await readCredentials(config).catch(() => credentials);
      return { 'X-API-Tunnel-Token': token.reveal(), 'X-API-Tunnel-Params': params };
    },
    ...(ca === undefined ? {} : { tls: { ca } }),
    sockets: config.sockets,
    open: (target, streamSignal) => openTarget(servers, target, streamSignal),
    onConnected: () => {
      state.onConnected();
      log.info({ server: credentials.server }, 'connected');
    },
    onDisconnected: error => {
      const news = state.connected || state.lastError !== messageOf(error);
      state.onDisconnected(error);
      if (news && !signal.aborted) log.warn({ reason: messageOf(error) }, 'not connected');
    },
    backoff: { minMs: 500, maxMs: 15_000 },
    proxyFromEnvironment: true,
    signal,
    log,
  });
}

/** Resolves once the mounted credentials name another server. */
async function watchServer(config: AgentConfig, now: Credentials, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(credentialsEveryMs, signal);
    const next = await readCredentials(config).catch(() => now);
    if (next.server !== now.server) return;
  }
}

/** The agent itself as the server sees it: its health, and what it sees from where it stands. */
function createSelfServer(state: AgentState, doctor: () => Promise<unknown>): { serve(stream: Duplex): void } {
  const server = createServer((request, response) => {
    if (request.url !== '/doctor') {
      answerHealth(state, request, response);
      return;
    }
    doctor().then(
      findings => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify({ version: agentVersion, time: new Date().toISOString(), state, findings }));
      },
      (error: unknown) => response.destroy(error as Error),
    );
  });
  return {
    serve(stream) {
      server.emit('connection', stream);
    },
  };
}
