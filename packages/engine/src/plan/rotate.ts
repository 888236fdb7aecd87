/**
 * What an exchange of authorities asks of the cluster beyond files and units: that pods trust the new ones before anything is signed by
 * them, and that nobody carries a token of the old key when that is trusted no more.
 */
import { createHash } from 'node:crypto';
import { hasReason, internal, type Resource, until } from '@drover/base';
import {
  configMaps,
  daemonSets,
  deployments,
  type KubeClient,
  namespaces,
  pods,
  type ResourceRef,
  secrets,
  statefulSets,
} from '@drover/kube';
import type { Executor } from '../hosts/executor.ts';
import { serviceAccountKey } from '../pki/cluster-certs.ts';
import { keyId, splitCertificates, withTrusted } from '../pki/rotation.ts';
import { remember } from './apply-addon.ts';
import type { EngineState } from './up.ts';

export interface WantedRotation {
  readonly phase: 'trust' | 'issue' | 'drop';
  /** Tells this phase of this exchange from all others. */
  readonly digest: string;
  /** What pods have to trust. */
  readonly authorities: readonly string[];
  /** `kid` of the tokens that are good for longer than this phase. */
  readonly keyId: string;
  readonly restart: 'system' | 'all';
}

/** Remembers in the cluster which phase it has been through. */
export const rotationMemory = 'drover-authorities';

/** Where the cluster's own workloads are. */
const systemNamespaces = ['kube-system', 'cattle-system', 'cattle-fleet-system'];
const restartAnnotation = 'drover.io/restarted-for-authorities';

export function wantedRotation(state: EngineState, restart: WantedRotation['restart'] = 'system'): WantedRotation {
  const { phase } = state.rotation!;
  const authorities = splitCertificates(withTrusted(state)['kube-ca']!.cert);
  const digest = createHash('sha256').update(phase).update(authorities.join('')).digest('hex').slice(0, 32);
  return { phase, digest, authorities, keyId: keyId(state.certificates[serviceAccountKey]!), restart };
}

interface Workload extends Resource {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
  readonly status?: Readonly<Record<string, number | undefined>>;
}

interface RotateOptions {
  readonly client: KubeClient;
  readonly onWarning: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Starts pods anew that learned at their start whom to trust; resolves once those that were well before are well again. */
export async function restartWorkloads(wanted: WantedRotation, options: RotateOptions): Promise<void> {
  const { client, onWarning, signal } = options;
  const all = (await client.list(namespaces, { signal })).items.map(({ metadata }) => metadata.name);
  const chosen = wanted.restart === 'all' ? all : all.filter(name => systemNamespaces.includes(name));
  await Promise.all(chosen.map(namespace => hasAuthorities(namespace, wanted, options)));
  for (const namespace of chosen)
    for (const ref of [deployments, daemonSets, statefulSets])
      for (const workload of (await client.list<Workload>(ref, { namespace, signal })).items)
        await restart(workload, ref, { ...options, wanted });
  const others = await tellOthers(new Set(chosen), options);
  if (others.length > 0)
    onWarning(
      `pods that ask the API server trust the old authority until they are started anew: ${others.join(', ')} (or give --restart-workloads all)`,
    );
  await remember(client, { name: rotationMemory, digest: wanted.digest, data: {} }, signal);
}

async function hasAuthorities(namespace: string, wanted: WantedRotation, options: RotateOptions): Promise<void> {
  const { client, signal } = options;
  const isPublished = async () => {
    const map = await client.get<Resource & { data?: Record<string, string> }>(configMaps, 'kube-root-ca.crt', {
      namespace,
      signal,
    });
    return wanted.authorities.every(authority => map.data?.['ca.crt']?.includes(authority.trim()));
  };
  await until(`the new authority to be published in ${namespace}`, isPublished, {
    timeoutMs: 120_000,
    everyMs: 500,
    signal,
  });
}

async function restart(
  workload: Workload,
  ref: ResourceRef,
  { client, wanted, onWarning, signal }: RotateOptions & { readonly wanted: WantedRotation },
): Promise<void> {
  const { name, namespace = '' } = workload.metadata;
  const wasWell = isWell(workload);
  if (workload.spec?.template?.metadata?.annotations?.[restartAnnotation] !== wanted.digest) {
    const template = { metadata: { annotations: { [restartAnnotation]: wanted.digest } } };
    await client.patch(ref, name, { spec: { template } }, { type: 'merge', namespace, signal });
  }
  if (!wasWell) return onWarning(`${ref.kind} ${namespace}/${name} was not well and is not waited for`);
  const rolledOut = async () => isWell(await client.get<Workload>(ref, name, { namespace, signal }));
  await until(`${ref.kind} ${namespace}/${name} to be well again`, rolledOut, {
    timeoutMs: 300_000,
    everyMs: 500,
    signal,
  });
}

/** Of all three kinds; what one has not, another has. */
function isWell({ kind, metadata, spec, status = {} }: Workload): boolean {
  if ((status['observedGeneration'] ?? 0) < (metadata.generation ?? 0)) return false;
  if (kind === 'DaemonSet') {
    const wanted = status['desiredNumberScheduled'] ?? 0;
    return (status['updatedNumberScheduled'] ?? 0) >= wanted && (status['numberAvailable'] ?? 0) >= wanted;
  }
  const wanted = spec?.replicas ?? 1;
  const ready = status[kind === 'StatefulSet' ? 'readyReplicas' : 'availableReplicas'] ?? 0;
  return (status['updatedReplicas'] ?? 0) >= wanted && ready >= wanted && (status['replicas'] ?? 0) <= wanted;
}

interface Pod extends Resource {
  readonly spec?: {
    readonly volumes?: readonly { readonly projected?: { readonly sources?: readonly object[] } }[];
  };
}

/** The first few namespaces with pods that have a token and are not started anew. */
async function tellOthers(chosen: ReadonlySet<string>, { client, signal }: RotateOptions): Promise<string[]> {
  const counts = new Map<string, number>();
  for await (const { metadata, spec } of client.listAll<Pod>(pods, { signal })) {
    const { namespace = '' } = metadata;
    const asks = spec?.volumes?.some(({ projected }) =>
      projected?.sources?.some(source => 'serviceAccountToken' in source),
    );
    if (asks && !chosen.has(namespace)) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  const told = [...counts].map(([namespace, count]) => `${count} in ${namespace}`);
  return told.length > 10 ? [...told.slice(0, 10), `${told.length - 10} namespaces more`] : told;
}

interface TokenSecret extends Resource {
  readonly data?: { readonly token?: string };
}

/** Tokens that lie in Secrets are written by the controller manager where there is none. */
export async function renewTokens(wanted: WantedRotation, { client, signal }: RotateOptions): Promise<void> {
  const fieldSelector = 'type=kubernetes.io/service-account-token';
  const old = async () => {
    const found: TokenSecret[] = [];
    for await (const secret of client.listAll<TokenSecret>(secrets, { fieldSelector, signal }))
      if (keyIdOf(Buffer.from(secret.data?.token ?? '', 'base64').toString()) !== wanted.keyId) found.push(secret);
    return found;
  };
  for (const { metadata } of await old()) {
    const { name, namespace } = metadata;
    await client.patch(secrets, name, { data: { token: null } }, { type: 'merge', namespace, signal }).catch(error => {
      if (!hasReason(error, 'NotFound')) throw error;
    });
  }
  await until('tokens in Secrets to be written anew', async () => (await old()).length === 0, {
    timeoutMs: 120_000,
    everyMs: 1_000,
    signal,
  });
  await remember(client, { name: rotationMemory, digest: wanted.digest, data: {} }, signal);
}

const tokensScript = `find /var/lib/kubelet/pods/*/volumes/kubernetes.io~projected/*/..data/ -maxdepth 1 -name token 2>/dev/null |
while read -r f; do cut -d. -f1 "$f"; echo; done`;

/** Kubelets that were started anew ask for the tokens of their pods again, within a minute or two. */
export async function awaitPodTokens(
  wanted: WantedRotation,
  executor: Executor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const areNew = async () => {
    // Heads of tokens alone: they say by which key, and are no secret.
    const { code, stdout, stderr } = await executor.run(['sh', '-c', tokensScript], { signal });
    if (code !== 0) throw internal(`${executor.host}: tokens of pods can't be looked at: ${stderr.trim()}`);
    return stdout
      .split('\n')
      .filter(Boolean)
      .every(head => [wanted.keyId, undefined].includes(keyIdOf(head)));
  };
  await until(`pods of ${executor.host} to have tokens of the new key`, areNew, {
    timeoutMs: 300_000,
    everyMs: 1_000,
    signal,
  });
}

/** Of a token or its head; undefined for what is none. */
function keyIdOf(token: string): string | undefined {
  try {
    return (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid?: string }).kid;
  } catch {
    return undefined;
  }
}
