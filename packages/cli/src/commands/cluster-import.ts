/**
 * clusters import: registers a cluster and, with a context of your kubeconfig, installs the agent in it and stays until it
 * is active, saying each step and, when it gets no further, why.
 */
import { type Condition, invalid, messageOf, notFound, type Resource, sleep, unavailable } from '@drover/base';
import type { Connection, KubeClient } from '@drover/kube';
import { request } from 'undici';
import type { V3Resource } from '../client.ts';
import { type Context, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { printData } from '../output.ts';
import { agentFor } from '../way.ts';

export interface ImportFlags extends GlobalFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly timeout?: string;
  readonly nodeAgents?: boolean;
}

const step = (text: string) => process.stderr.write(`${text}\n`);

export async function importCluster(name: string, flags: ImportFlags): Promise<void> {
  const timeoutMs = parseTimeout(flags.timeout ?? '120');
  await using context = await openContext(flags);
  // A kubeconfig that can't be used should be told before anything is made.
  const connection = flags.context || flags.kubeconfig ? await connectionOf(flags) : undefined;
  const cluster = await register(context, name, flags);
  const token = await registrationToken(context, cluster.id);
  const url = new URL(String(token['manifestUrl'])).origin;
  if (/^https:\/\/(localhost|127\.|\[::1\])/.test(url)) step(say('importLoopback', { url }));
  if (!connection) {
    step(say('importRun'));
    const command = String(context.server.ca ? token['insecureCommand'] : token['command']);
    if (context.format === 'table') process.stdout.write(`${command}\n`);
    else await printData({ cluster, command }, context.format);
    return;
  }
  const { KubeClient: Client } = await import('@drover/kube');
  await using kube = new Client(connection);
  step(say('importApplying', { context: flags.context ?? 'current' }));
  await install(kube, await fetchManifest(context, String(token['manifestUrl'])));
  step(say('importWaiting'));
  const active = await waitActive(context, {
    id: cluster.id,
    name,
    kube,
    timeoutMs,
  });
  step(say('importActive', { name }));
  if (context.format !== 'table') await printData(active, context.format);
}

function parseTimeout(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw invalid('--timeout', `"${text}" must be a number of seconds above 0`);
  return Number(text) * 1000;
}

/** Makes the cluster; one of that name that no agent has ever connected for is gone on with, as after a try that failed. */
async function register({ client }: Context, name: string, { nodeAgents }: ImportFlags): Promise<V3Resource> {
  const waiting = (await client.list('clusters', { name })).find(one => one.name === name && one.state === 'pending');
  const annotations = nodeAgents ? { annotations: { 'drover.io/node-agents': 'true' } } : {};
  const cluster = waiting ?? (await client.create('clusters', { type: 'cluster', name, ...annotations }));
  step(say(waiting ? 'importAgain' : 'importMade', { name, id: cluster.id }));
  return cluster;
}

async function connectionOf(flags: ImportFlags): Promise<Connection> {
  const { loadKubeconfig, toConnection } = await import('@drover/kube');
  return toConnection(await loadKubeconfig({ path: flags.kubeconfig }), { context: flags.context, interactive: true });
}

/** The server makes the cluster's token a moment after the cluster. */
async function registrationToken({ client }: Context, clusterId: string): Promise<V3Resource> {
  for (let tries = 0; tries < 100; tries++) {
    const found = (await client.list('clusterRegistrationTokens', { clusterId })).find(token => token['manifestUrl']);
    if (found) return found;
    await sleep(100);
  }
  throw notFound('clusterRegistrationToken', clusterId);
}

async function fetchManifest({ server }: Context, url: string): Promise<string> {
  const agent = agentFor(server);
  try {
    // Through the address that we trust and reach, whatever the server calls itself.
    const { statusCode, body } = await request(new URL(new URL(url).pathname, server.url), { dispatcher: agent });
    const text = await body.text();
    if (statusCode !== 200)
      throw unavailable(`the import manifest was answered with ${statusCode}: ${text.slice(0, 200)}`);
    return text;
  } finally {
    await agent.destroy();
  }
}

async function install(kube: KubeClient, manifest: string): Promise<void> {
  const { applyManifest, parseManifest } = await import('@drover/kube');
  await applyManifest(kube, await parseManifest(manifest), {
    fieldManager: 'drover-import',
    onStep: ({ resource, what, done, total }) =>
      step(`  ${done}/${total} ${resource.kind} ${resource.metadata.name} ${what}`),
  });
}

interface Waiting {
  readonly id: string;
  readonly name: string;
  readonly kube: KubeClient;
  readonly timeoutMs: number;
}

async function waitActive({ client }: Context, { id, kube, timeoutMs }: Waiting): Promise<V3Resource> {
  const started = performance.now();
  let told = '';
  for (;;) {
    const cluster = await client.get(`/v3/clusters/${id}`);
    if (cluster.state === 'active') return cluster;
    const cause = await causeOf(cluster, kube);
    if (cause !== told) step(`  ${(told = cause)}`);
    if (performance.now() - started > timeoutMs)
      throw unavailable(say('importStuck', { seconds: timeoutMs / 1000, cause }));
    await sleep(500);
  }
}

interface Pod extends Resource {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

/** What the agent's pod is waiting for, in the words of its cluster; else what the server knows. */
async function causeOf(cluster: V3Resource, kube: KubeClient): Promise<string> {
  const { pods } = await import('@drover/kube');
  try {
    const { items } = await kube.list<Pod>(pods, {
      namespace: 'cattle-system',
      labelSelector: 'app=cattle-cluster-agent',
    });
    const [pod] = items;
    if (!pod) return 'the agent has no pod yet';
    const waiting = pod.status?.containerStatuses?.find(status => status.state?.waiting)?.state?.waiting;
    if (waiting) return `pod ${pod.metadata.name}: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`;
    const unscheduled = pod.status?.conditions?.find(
      condition => condition.type === 'PodScheduled' && condition.status !== 'True',
    );
    if (unscheduled) return `pod ${pod.metadata.name} has no node: ${unscheduled.message ?? unscheduled.reason}`;
    if (pod.status?.phase !== 'Running') return `pod ${pod.metadata.name} is ${pod.status?.phase ?? 'unknown'}`;
  } catch (error) {
    return `the cluster's pods can't be seen: ${messageOf(error)}`;
  }
  return `pod runs; server says ${cluster.state}: ${String(cluster['transitioningMessage'] ?? '')}`;
}
