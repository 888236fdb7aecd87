/**
 * Emptying a node: its pods are evicted one by one as far as their disruption budgets let them go. Daemon sets' stay, and so do
 * those that the kubelet runs by itself.
 */
import { hasReason, invalid, isNotFound, messageOf, type Resource, StatusError, sleep } from '@drover/base';
import type { KubeClient } from './client.ts';
import { pods } from './resource-ref.ts';

const mirrorKey = 'kubernetes.io/config.mirror';
const againMs = 2_000;

export interface DrainOptions {
  /** Pods with data of their own may lose it. */
  readonly deleteLocalData: boolean;
  /** Pods that nobody makes again may go. */
  readonly force: boolean;
  /** Seconds; below 0 means what each pod says. */
  readonly gracePeriod: number;
  readonly ignoreDaemonSets: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Throws Invalid naming the pod and the option where the node holds what would be lost. */
export async function checkDrain(client: KubeClient, node: string, options: DrainOptions): Promise<void> {
  refuseWhatStays(await podsOn(client, node, options.signal), options);
}

/**
 * Resolves once only daemon sets' pods are left; throws Timeout naming those that did not go, and why. The time is looked at once all have
 * been asked: a slow answer is no reason to know nothing.
 */
export async function emptyNode(client: KubeClient, node: string, options: DrainOptions): Promise<void> {
  const { timeoutMs, signal } = options;
  const late = performance.now() + timeoutMs;
  for (;;) {
    const left = (await podsOn(client, node, signal)).filter(pod => !ofDaemonSet(pod));
    if (left.length === 0) return;
    const staying: string[] = [];
    for (const pod of left) {
      const refusal = pod.metadata.deletionTimestamp ? undefined : await evict(client, pod, options);
      staying.push(`${nameOf(pod)} (${refusal ?? 'it is ending'})`);
    }
    const leftMs = late - performance.now();
    if (leftMs <= 0) {
      const message = `${staying.join(', ')} did not leave ${node} within ${timeoutMs / 1000} s`;
      throw new StatusError(504, 'Timeout', message);
    }
    await sleep(Math.min(againMs, leftMs), signal);
  }
}

interface Pod extends Resource {
  readonly spec?: { readonly volumes?: readonly { readonly emptyDir?: object }[] };
  readonly status?: { readonly phase?: string };
}

async function podsOn(client: KubeClient, node: string, signal?: AbortSignal): Promise<Pod[]> {
  const all = await Array.fromAsync(client.listAll<Pod>(pods, { fieldSelector: `spec.nodeName=${node}`, signal }));
  return all.filter(({ metadata, status }) => {
    const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    return !over && metadata.annotations?.[mirrorKey] === undefined;
  });
}

const controllerOf = ({ metadata }: Pod) => metadata.ownerReferences?.find(({ controller }) => controller === true);
const nameOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;
const ofDaemonSet = (pod: Pod): boolean => controllerOf(pod)?.kind === 'DaemonSet';

/** As kubectl drain does: what would be lost for good needs a word of its own. */
function refuseWhatStays(all: readonly Pod[], { force, deleteLocalData, ignoreDaemonSets }: DrainOptions): void {
  const daemon = all.find(ofDaemonSet);
  if (daemon && !ignoreDaemonSets)
    throw invalid(
      'ignoreDaemonSets',
      `${nameOf(daemon)} is a daemon set's and would come back at once`,
      'InvalidOption',
    );
  const others = all.filter(pod => !ofDaemonSet(pod));
  const bare = others.find(pod => !controllerOf(pod));
  if (bare && !force) throw invalid('force', `${nameOf(bare)} is nobody's and would not come back`, 'InvalidOption');
  const local = others.find(pod => pod.spec?.volumes?.some(({ emptyDir }) => emptyDir));
  if (local && !deleteLocalData)
    throw invalid('deleteLocalData', `${nameOf(local)} has data of its own`, 'InvalidOption');
}

/** Why it may not go yet, in the cluster's own words; undefined where it goes. */
async function evict(
  client: KubeClient,
  { metadata }: Pod,
  { gracePeriod, signal }: DrainOptions,
): Promise<string | undefined> {
  const { name, namespace } = metadata;
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    ...(gracePeriod >= 0 ? { deleteOptions: { gracePeriodSeconds: gracePeriod } } : {}),
  };
  try {
    await client.request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
      ...{ body, signal },
      // Told to come later, it goes on with the others meanwhile.
      tries: 1,
    });
  } catch (error) {
    // Its budget does not let it go yet: asked again. Gone is gone.
    if (hasReason(error, 'TooManyRequests')) return messageOf(error);
    if (!isNotFound(error)) throw error;
  }
}
