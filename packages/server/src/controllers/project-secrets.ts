/**
 * project-secrets: copies a project's secrets into each of its namespaces, new ones within moments, puts right what somebody
 * changes there, and takes the copies away with the secret or the namespace's move. Of what is there only a hash is kept.
 */
import { createHash } from 'node:crypto';
import type { ProjectSecret } from '@drover/api';
import { ignoreExists, ignoreNotFound, isConflict, isNotFound, type Log, type Resource, sleep } from '@drover/base';
import { KubeClient, namespaces, secrets, WatchCache } from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import type { Caches, Resources } from '../resources/index.ts';
import { projectKey } from './cluster-projects.ts';
import { isOurs, marksOf, maybeOurSecrets, secretPart } from './ours.ts';
import { runRounds } from './rounds.ts';

const copyKey = 'management.cattle.io/project-scoped-secret-copy';
const projectLabel = 'management.cattle.io/project-scoped-secret';
const clusterIndex = 'project-secret-cluster';
const lookEveryMs = 5 * 60_000;
/** Thousands of clusters may come back at once, and what none of their projects has can wait. */
const firstLookMs = 60_000;
const gatherMs = 200;

export interface ProjectSecretsDeps {
  readonly upstreams: Upstreams;
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'project' | 'projectSecret'>;
  readonly setting: (name: string) => string;
  readonly log: Log;
}

/** Lets the secrets of one cluster's projects be found without a look at all the others'; once, before the first runs. */
export function indexProjectSecrets(caches: Pick<Caches, 'projectSecret'>): void {
  caches.projectSecret.index(clusterIndex, ({ projectName }) => [projectName?.split(':')[0]]);
}

/** Runs until the signal aborts. */
export function runProjectSecrets(deps: ProjectSecretsDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'secrets of projects can not be kept in step';
  return runRounds({ ...deps, clusterId, signal, failure, round: round => follow(deps, clusterId, round) });
}

/** A copy as it is kept here: what is in it is only known by its hash. */
type Copy = Resource & { readonly type?: string; readonly hash?: string };

/** One round over one connection. */
async function follow(deps: ProjectSecretsDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const { caches, setting } = deps;
  const wanted = () => caches.projectSecret.by(clusterIndex, clusterId);
  let wake: () => void = () => undefined;
  const isHere = (one: ProjectSecret | undefined) => one?.projectName?.startsWith(`${clusterId}:`);
  caches.projectSecret.subscribe(({ before, after }) => {
    if (isHere(before) || isHere(after)) wake();
  }, signal);
  caches.project.subscribe(({ after }) => after || wake(), signal, { namespace: clusterId });
  for (let waitMs = Math.random() * firstLookMs; wanted().length === 0; ) {
    const told = new Promise<void>(resolve => {
      wake = resolve;
    });
    await Promise.race([told, sleep(waitMs, signal)]);
    if (wanted().length > 0 || (await hasCopies(deps, clusterId, signal))) break;
    waitMs = lookEveryMs * (0.9 + Math.random() * 0.2);
  }
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const copies = new WatchCache<Copy>(client, secrets, { labelSelector: maybeOurSecrets, transform: hashed });
  const places = new WatchCache<Resource>(client, namespaces, { transform: slim });
  for (const cache of [copies, places] as const) cache.subscribe(() => wake());
  const failed = Promise.race([copies.run(signal), places.run(signal)]);
  failed.catch(() => undefined);
  await Promise.race([Promise.all([copies.synced(signal), places.synced(signal)]), failed]);
  while (!signal.aborted) {
    const changed = new Promise<void>(resolve => {
      wake = resolve;
    });
    await forgetGone(deps, clusterId, wanted());
    const installUuid = setting('install-uuid');
    const seen = copies.list().filter(one => isOurs(one, installUuid));
    await settle(client, planCopies(wanted(), places.list()), { seen, installUuid, signal });
    await Promise.race([changed, failed]);
    await sleep(gatherMs, signal);
  }
}

async function hasCopies({ upstreams }: ProjectSecretsDeps, clusterId: string, signal: AbortSignal): Promise<boolean> {
  await using client = new KubeClient(upstreams.connection(clusterId));
  const { items } = await client.list(secrets, { labelSelector: maybeOurSecrets, limit: 1, signal });
  return items.length > 0;
}

function slim({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion, deletionTimestamp, annotations } = metadata;
  const project = annotations?.[projectKey];
  const kept = project === undefined ? {} : { annotations: { [projectKey]: project } };
  return { apiVersion, kind, metadata: { name, uid, resourceVersion, deletionTimestamp, ...kept } };
}

function hashed({ apiVersion, kind, metadata, ...rest }: Copy): Copy {
  const { type, data } = rest as { readonly type?: string; readonly data?: Readonly<Record<string, string>> };
  return { apiVersion, kind, metadata, type, hash: hashOf(data) } as Copy;
}

function hashOf(data: Readonly<Record<string, string>> | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');
}

/** Secrets of projects that are there no more. */
async function forgetGone(
  { resources, caches }: ProjectSecretsDeps,
  clusterId: string,
  all: readonly ProjectSecret[],
): Promise<void> {
  for (const { metadata, projectName } of all) {
    const project = projectName?.split(':')[1] ?? '';
    if (caches.project.get(project, clusterId) || (await resources.find('project', project, clusterId))) continue;
    const { name, namespace, uid } = metadata;
    await ignoreNotFound(resources.delete('projectSecret', { name, namespace, uid }));
  }
}

interface WantedCopy {
  readonly namespace: string;
  readonly of: ProjectSecret;
}

/** Each secret in each namespace of its project. */
function planCopies(all: readonly ProjectSecret[], places: readonly Resource[]): WantedCopy[] {
  const byProject = Map.groupBy(places, ({ metadata }) => metadata.annotations?.[projectKey] ?? '');
  return all.flatMap(of =>
    (byProject.get(of.projectName ?? '') ?? [])
      .filter(({ metadata }) => !metadata.deletionTimestamp)
      .map(({ metadata }) => ({ namespace: metadata.name, of })),
  );
}

interface Seen {
  readonly seen: readonly Copy[];
  readonly installUuid: string;
  readonly signal: AbortSignal;
}

async function settle(client: KubeClient, wanted: readonly WantedCopy[], { seen, installUuid, signal }: Seen) {
  const placeOf = (namespace = '', name: string) => `${namespace}/${name}`;
  const there = new Map(seen.map(one => [placeOf(one.metadata.namespace, one.metadata.name), one]));
  for (const { namespace, of } of wanted) {
    const place = placeOf(namespace, of.metadata.name);
    const before = there.get(place);
    there.delete(place);
    const { name, annotations } = of.metadata;
    const description = annotations?.['field.cattle.io/description'];
    const labels = { ...marksOf(installUuid), ...secretPart, [projectLabel]: of.projectName?.split(':')[1] ?? '' };
    const copy = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        labels,
        annotations: { [copyKey]: 'true', ...(description ? { 'field.cattle.io/description': description } : {}) },
      },
      type: of.type,
      data: of.data,
    } as unknown as Resource;
    if (before && before.type === of.type && before.hash === hashOf(of.data)) continue;
    // What a secret is for can't be changed; one of that name that somebody else made is left as it is.
    if (before && before.type !== of.type) await removeCopy(client, before, signal);
    if (!before || before.type !== of.type)
      await ignoreExists(client.create(secrets, copy, { signal })).catch(unlessGone);
    else {
      const metadata = { ...copy.metadata, resourceVersion: before.metadata.resourceVersion };
      await client.update(secrets, { ...copy, metadata } as Resource, { signal }).catch(unlessGone);
    }
  }
  for (const copy of there.values()) await removeCopy(client, copy, signal);
}

const unlessGone = (error: unknown): void => {
  if (!isConflict(error) && !isNotFound(error)) throw error;
};

async function removeCopy(client: KubeClient, { metadata }: Resource, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = metadata;
  await ignoreNotFound(client.delete(secrets, name, { namespace, preconditions: { uid }, signal }));
}
