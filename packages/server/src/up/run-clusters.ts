/** What `drover up` manages besides serving: a local cluster of its own, or the kubeconfig's, or nothing. */
import { ignoreExists, type Log, Secret, setCondition } from '@drover/base';
import type { Connection } from '@drover/kube';
import { type ClusterUpstreams, localClusterId } from '../clusters/upstreams.ts';
import type { Config } from '../config.ts';
import type { Caches, Resources } from '../resources/index.ts';
import { decideCluster, terminalAsk } from './choice.ts';
import { runImported } from './imported.ts';
import { runLocalCluster } from './local.ts';

export interface RunOptions {
  readonly config: Config;
  readonly resources: Resources;
  readonly caches: Caches;
  readonly installUuid: string;
  readonly upstreams: ClusterUpstreams;
  readonly url: string;
  readonly caFile?: string;
  readonly say: (line: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Resolves when the signal has aborted and what was started has ended. */
export async function runClusters(options: RunOptions): Promise<void> {
  const { config, resources, caches, installUuid, url, caFile, say, log, signal } = options;
  const decision = await decideCluster(config.cluster, { dataDir: config.dataDir, ask: terminalAsk(), say, signal });
  if (decision.type === 'context') {
    await runImported({
      context: decision.context,
      connection: decision.connection,
      resources,
      caches,
      installUuid,
      serverUrl: url,
      caFile,
      say,
      log,
      signal,
    });
  } else if (decision.type !== 'none') {
    await runOwn(options, decision.type === 'local');
  }
}

async function runOwn({ config, resources, upstreams, say, log, signal }: RunOptions, node: boolean): Promise<void> {
  await ensureLocal(resources);
  // Before it stops, so that nobody asks it while it does.
  signal.addEventListener('abort', () => upstreams.setLocalAway('it is being stopped'), { once: true });
  await runLocalCluster({
    dataDir: config.dataDir,
    kubeBinDir: config.kubeBinDir,
    bundleDirs: node ? config.bundleDirs : undefined,
    say,
    log,
    signal,
    up(connection) {
      upstreams.setLocal(localWay(connection));
      say('local cluster: up');
    },
    waiting(cause) {
      upstreams.setLocalAway(`it is being started: ${cause}`);
      void tellWaiting(resources, cause).catch(error => log.debug({ err: error }, 'not told'));
    },
  });
}

function localWay({ server, ca = '', clientCert = '', clientKey = new Secret('') }: Connection) {
  return { server, ca, clientCert, clientKey };
}

async function ensureLocal(resources: Resources): Promise<void> {
  await ignoreExists(
    resources.create('cluster', {
      metadata: { name: localClusterId },
      spec: { displayName: localClusterId, internal: true },
      status: { driver: 'local', provider: 'drover' },
    }),
  );
}

/** While it has never been up, the step that it is at shows as its state. */
async function tellWaiting(resources: Resources, message: string): Promise<void> {
  await resources.modify('cluster', { name: localClusterId }, seen => {
    const conditions = setCondition(seen.status?.conditions, {
      type: 'Provisioned',
      status: 'Unknown',
      reason: 'Starting',
      message,
    });
    const known = seen.status?.conditions?.some(
      condition => condition.type === 'Provisioned' && condition.status === 'True',
    );
    return known || conditions === seen.status?.conditions
      ? undefined
      : { ...seen, status: { ...seen.status, conditions } };
  });
}
