/**
 * pod-security: labels the namespaces of a cluster as its template says, new ones within moments, and takes the labels back
 * when it is to have none. Runs where the cluster is owned, while it is connected; one without a template costs nothing.
 */
import type { Cluster } from '@drover/api';
import { isConflict, isNotFound, type Log, type Resource, sleep } from '@drover/base';
import { KubeClient, namespaces, WatchCache } from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Caches, Resources } from '../resources/index.ts';
import { planPodSecurity, podSecurityKey, podSecurityLabel } from './pod-security-plan.ts';
import { runRounds } from './rounds.ts';

/** On a cluster the namespaces of which carry a template's labels. */
const appliedKey = 'drover.io/pod-security';
const gatherMs = 200;

export interface PodSecurityDeps {
  readonly upstreams: Upstreams;
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'cluster' | 'podSecurityAdmissionConfigurationTemplate'>;
  readonly log: Log;
}

/** Runs until the signal aborts. */
export function runPodSecurity(deps: PodSecurityDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'pod security of namespaces can not be kept in step';
  return runRounds({ ...deps, clusterId, signal, failure, round: round => follow(deps, clusterId, round) });
}

const templateOf = (cluster: Cluster | undefined): string =>
  cluster?.spec?.defaultPodSecurityAdmissionConfigurationTemplateName ?? '';
const isApplied = (cluster: Cluster | undefined): boolean => cluster?.metadata.annotations?.[appliedKey] !== undefined;

/** One round over one connection. */
async function follow(deps: PodSecurityDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const { caches } = deps;
  while (!signal.aborted) {
    await whenSo(caches, { clusterId, signal }, one => templateOf(one) !== '' || isApplied(one));
    await apply(deps, clusterId, signal);
  }
}

/** Resolves once the cluster is so. */
async function whenSo(
  caches: PodSecurityDeps['caches'],
  { clusterId, signal }: { readonly clusterId: string; readonly signal: AbortSignal },
  isSo: (cluster: Cluster) => boolean,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = new AbortController();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
  caches.cluster.subscribe(({ after }) => after && isSo(after) && resolve(), stop.signal, { key: clusterId });
  try {
    await promise;
  } finally {
    stop.abort();
  }
}

/** Follows the namespaces until there is no template any more, and its labels are off. */
async function apply(deps: PodSecurityDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const { caches, upstreams } = deps;
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  await using client = new KubeClient(upstreams.connection(clusterId));
  const places = new WatchCache<Resource>(client, namespaces, { transform: slim });
  let wake: () => void = () => undefined;
  const ring = () => wake();
  places.subscribe(ring);
  caches.podSecurityAdmissionConfigurationTemplate.subscribe(ring, ends);
  let name = templateOf(caches.cluster.get(clusterId));
  const look = (after: Cluster | undefined) => {
    if (!after || templateOf(after) === name) return;
    name = templateOf(after);
    wake();
  };
  caches.cluster.subscribe(({ after }) => look(after), ends, { key: clusterId });
  const failed = places.run(ends).then(() => Promise.reject(ends.reason));
  failed.catch(() => undefined);
  try {
    await Promise.race([places.synced(ends), failed]);
    for (;;) {
      const changed = new Promise<void>(resolve => {
        wake = resolve;
      });
      const template = caches.podSecurityAdmissionConfigurationTemplate.get(name);
      if (name !== '') await note(deps, clusterId, true);
      const patches = name !== '' && !template ? [] : planPodSecurity(places.list(), template);
      for (const { name: place, labels, annotation } of patches) {
        const metadata = { labels, annotations: { [podSecurityKey]: annotation } };
        await client.patch(namespaces, place, { metadata }, { type: 'merge', signal: ends }).catch(error => {
          if (!isConflict(error) && !isNotFound(error)) throw error;
        });
      }
      if (name === '' && patches.length === 0) return await note(deps, clusterId, false);
      await Promise.race([changed, failed]);
      await sleep(gatherMs, ends);
    }
  } finally {
    stop.abort(new Error('pod security is looked after no more'));
  }
}

async function note({ resources, caches }: PodSecurityDeps, clusterId: string, applied: boolean): Promise<void> {
  if (isApplied(caches.cluster.get(clusterId)) === applied) return;
  await resources.modify('cluster', { name: clusterId }, seen => {
    const { [appliedKey]: _, ...rest } = seen.metadata.annotations ?? {};
    const annotations = applied ? { ...rest, [appliedKey]: 'applied' } : rest;
    return { ...seen, metadata: { ...seen.metadata, annotations } };
  });
}

function slim({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion, deletionTimestamp, labels = {}, annotations } = metadata;
  const set = annotations?.[podSecurityKey];
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      deletionTimestamp,
      labels: Object.fromEntries(Object.entries(labels).filter(([key]) => key.startsWith(podSecurityLabel))),
      ...(set === undefined ? {} : { annotations: { [podSecurityKey]: set } }),
    },
  };
}
