/**
 * A kubeconfig's cluster that `drover up` manages: registered like any imported one, but its agent is a process of ours
 * that uses that kubeconfig. Nothing needs to be pulled, and nothing needs to reach us from inside the cluster.
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { backoffMs, type Log, messageOf, sleep, until } from '@drover/base';
import { startGuarded, stopProcess } from '@drover/engine';
import { applyManifest, type Connection, KubeClient, kubeconfigTarget } from '@drover/kube';
import { defaultTokenName, tokenSecretName } from '../clusters/registration-token.ts';
import { controllerRights } from '../connect/import-manifest.ts';
import { type Caches, type Resources, uniqueIndex } from '../resources/index.ts';

export interface ImportedOptions {
  readonly context: string;
  readonly connection: Connection;
  readonly resources: Resources;
  readonly caches: Caches;
  readonly installUuid: string;
  /** Where the agent dials, on this machine. */
  readonly serverUrl: string;
  readonly caFile?: string;
  readonly say: (line: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const stopGraceMs = 10_000;
const contextAnnotation = 'drover.io/kubeconfig-context';
const agentMain = fileURLToPath(new URL('../../../agent/src/main.ts', import.meta.url));

/** Runs the cluster's agent until the signal aborts, starting it again when it ends. */
export async function runImported(options: ImportedOptions): Promise<void> {
  const { context, signal, say, log } = options;
  const clusterId = await ensureCluster(options);
  say(`cluster "${context}" is managed as ${clusterId}`);
  for (let failures = 0; !signal.aborted; failures++) {
    const started = performance.now();
    const cause = await prepare(options)
      .then(() => runAgent(options, clusterId))
      .catch(messageOf);
    if (signal.aborted) return;
    log.warn({ cluster: clusterId, cause }, 'the agent ended');
    if (performance.now() - started > 60_000) failures = 0;
    await sleep(backoffMs(failures, { minMs: 500, maxMs: 30_000 }), signal).catch(() => undefined);
  }
}

/** A context's name in what the name of a cluster may hold: `admin@Kind.1` → `admin-kind-1`. */
function clusterName(context: string): string {
  const name = context
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return name || 'imported';
}

async function ensureCluster({ context, resources, caches }: ImportedOptions): Promise<string> {
  const there = [...caches.cluster.all()].find(
    cluster => cluster.metadata.annotations?.[contextAnnotation] === context,
  );
  if (there) return there.metadata.name;
  const name = freeName(clusterName(context), caches);
  const made = await resources.create('cluster', {
    metadata: { annotations: { [contextAnnotation]: context } },
    spec: { displayName: name, internal: false },
    status: { driver: 'imported' },
  });
  return made.metadata.name;
}

/** The name, or with a number behind it where somebody gave it to another cluster. */
function freeName(name: string, { cluster }: Caches): string {
  let free = name;
  for (let at = 2; cluster.by(uniqueIndex, free).length > 0; at++) free = `${name.slice(0, 58)}-${at}`;
  return free;
}

/** The server's controllers are somebody of their own in there, with rights of their own. */
async function prepare({ connection, installUuid, signal }: ImportedOptions): Promise<void> {
  await using client = new KubeClient(connection);
  await applyManifest(client, controllerRights(installUuid), { fieldManager: 'drover', signal });
}

async function runAgent(
  { context, caches, serverUrl, caFile, log, signal }: ImportedOptions,
  clusterId: string,
): Promise<string> {
  const secret = await until(
    'the cluster’s registration token',
    () => caches.secret.get(tokenSecretName(defaultTokenName), clusterId),
    { signal, timeoutMs: 30_000 },
  );
  const args = [
    agentMain,
    '--kubeconfig',
    kubeconfigTarget(),
    '--context',
    context,
    ...(caFile ? ['--ca-file', caFile] : []),
  ];
  // The token goes by the environment: arguments can be read by everybody on the machine.
  const env = { ...process.env, DROVER_SERVER: serverUrl, DROVER_TOKEN: secret.stringData!['token'] };
  // Nobody ends it for a server that was killed, and the next one starts an agent of its own.
  const agent = await startGuarded({ command: process.execPath, args, env, stdout: 'ignore', stderr: 'pipe' });
  let last = '';
  createInterface({ input: agent.stderr! }).on('line', line => {
    last = line;
    log.debug({ agent: line }, 'agent');
  });
  const stop = () => void stopProcess(agent.identity, stopGraceMs);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const ended = await agent.ended;
  signal.removeEventListener('abort', stop);
  return `${ended}: ${last.slice(0, 300)}`;
}
