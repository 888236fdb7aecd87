/**
 * Brings the cluster's agent into a cluster that has just been made, with nobody importing anything: its image onto the hosts, its
 * manifest into the cluster, and what the agents of control planes need to be a way in as well.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Cluster } from '@drover/api';
import { ignoreNotFound, internal, type Resource, until } from '@drover/base';
import { type EngineState, type Executor, pinnedFilter, pinnedLabel } from '@drover/engine';
import { applyManifest, type KubeClient, secrets } from '@drover/kube';
import { importManifest, resolveImage } from '../connect/import-manifest.ts';
import type { Resources } from '../resources/index.ts';
import type { AgentArchives, Architecture } from './agent-archives.ts';
import type { EngineRun } from './engine-run.ts';
import { agentSecretName } from './node-files.ts';
import type { Timeline } from './timeline.ts';

export interface DeployDeps {
  readonly resources: Resources;
  readonly archives: AgentArchives;
  readonly setting: (name: string) => string;
  readonly serverKey: string;
}

export interface Deploying {
  readonly cluster: Cluster;
  readonly run: EngineRun;
  readonly state: EngineState;
  readonly token: string;
  readonly serverUrl: string;
  /** Whether no control plane has an agent of its own: then one runs as a pod on each node. */
  readonly nodeAgents: boolean;
  readonly timeline: Timeline;
  readonly signal: AbortSignal;
}

/** What it depends on: nothing is done again while it is the same. */
export function deployDigest(
  deps: DeployDeps,
  { cluster, run, token, serverUrl, nodeAgents }: Omit<Deploying, 'state'>,
): string {
  const parts = [imageOf(deps, cluster), token, serverUrl, deps.setting('cacerts'), deps.serverKey, nodeAgents];
  const hosts = run.spec.nodes.map(({ name }) => name).sort();
  return createHash('sha256')
    .update(JSON.stringify([parts, hosts]))
    .digest('hex')
    .slice(0, 32);
}

const imageOf = (deps: DeployDeps, cluster: Cluster): string =>
  resolveImage(
    cluster.spec?.agentImageOverride || deps.setting('agent-image'),
    deps.setting('system-default-registry'),
  );

export async function deployAgents(deps: DeployDeps, deploying: Deploying): Promise<void> {
  const { cluster, run, state, token, serverUrl, timeline, nodeAgents } = deploying;
  const { setting } = deps;
  const image = imageOf(deps, cluster);
  await run.onHosts(run.spec.nodes, (executor, node) =>
    timeline.step(
      'agents',
      'bring the agent’s image there',
      () => importImage(deps.archives, image, executor),
      node.name,
    ),
  );
  const cacerts = setting('cacerts').trim();
  const objects = importManifest({
    serverUrl,
    token,
    caChecksum: cacerts && createHash('sha256').update(`${cacerts}\n`).digest('hex'),
    agentImage: image,
    serverKey: deps.serverKey,
    installUuid: setting('install-uuid'),
    serverVersion: setting('server-version'),
    nodeAgents,
  });
  await run.withApi(state, async client => {
    await timeline.step('agents', 'apply the manifest of the agent', async () => {
      await applyManifest(client, [...objects, accountToken], { fieldManager: 'drover', signal: deploying.signal });
    });
    const kubeconfig = await timeline.step('agents', 'give control planes a way in', () =>
      kubeconfigOf(client, state, deploying.signal),
    );
    const metadata = { name: agentSecretName, namespace: cluster.metadata.name };
    const stringData = { kubeconfig };
    await deps.resources.put('secret', { metadata, stringData }, seen => ({ ...seen, stringData }));
  });
}

const accountTokenName = 'cattle-node-agent-token';
const accountToken = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: accountTokenName,
    namespace: 'cattle-system',
    annotations: { 'kubernetes.io/service-account.name': 'cattle' },
  },
  type: 'kubernetes.io/service-account-token',
} as Resource;

/** By the balancer of the node itself: it leads to whichever kube-apiserver is up. */
async function kubeconfigOf(client: KubeClient, state: EngineState, signal: AbortSignal): Promise<string> {
  type Token = Resource & { readonly data?: Readonly<Record<string, string>> };
  const token = await until(
    'a token of the service account cattle',
    async () => {
      const namespace = 'cattle-system';
      const secret = await ignoreNotFound(client.get<Token>(secrets, accountTokenName, { namespace, signal }));
      return secret?.data?.['token'];
    },
    { timeoutMs: 60_000, everyMs: 250, signal },
  );
  const ca = Buffer.from(state.certificates['kube-ca']!.cert).toString('base64');
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'own', cluster: { server: 'https://127.0.0.1:6444', 'certificate-authority-data': ca } }],
    users: [{ name: 'agent', user: { token: Buffer.from(token, 'base64').toString('utf8') } }],
    contexts: [{ name: 'own', context: { cluster: 'own', user: 'agent' } }],
    'current-context': 'own',
  })}\n`;
}

const namespaced = '--address /run/drover/containerd.sock --namespace k8s.io';

/** From this server, where it has it; else the host fetches it from its registry. */
async function importImage(archives: AgentArchives, image: string, executor: Executor): Promise<void> {
  const say = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await executor.run(['sh', '-c', script], { timeoutMs: 300_000 });
    if (code !== 0) throw internal(`${executor.host}: ${(stderr || stdout).trim().slice(-500)}`);
    return stdout.trim();
  };
  const ctr = `$(ls /opt/drover/*/bin/ctr | tail -n 1) ${namespaced} images`;
  const [machine, images] = [await say('uname -m'), await say(`${ctr} list -q '${pinnedFilter}'`)];
  const arch = ({ x86_64: 'amd64', aarch64: 'arm64' } as Readonly<Record<string, Architecture>>)[machine];
  const archive = arch && archives.get(arch);
  if (archive?.image !== image) return;
  // Named by its content too: a new build of one version is another image.
  const mark = `drover.local/agent:${archive.id}`;
  if (images.split('\n').includes(mark)) return;
  const path = `/var/lib/drover/agent-${archive.id}.tar`;
  await executor.put(path, createReadStream(archive.path), { mode: 0o600 });
  // Pinned, as no registry may have it. Those of earlier builds are let go: what still runs of them runs on.
  await say(
    `ctr="${ctr}"
$ctr import --label ${pinnedLabel} ${path} >/dev/null && $ctr tag --force docker.io/${image} ${mark} >/dev/null &&
  $ctr label docker.io/${image} ${pinnedLabel} >/dev/null && $ctr label ${mark} ${pinnedLabel} >/dev/null &&
  for old in $($ctr list -q 'name~="^drover.local/agent:"'); do [ "$old" = "${mark}" ] || $ctr remove "$old" >/dev/null; done
code=$?
rm -f ${path}
exit $code`,
  );
}
