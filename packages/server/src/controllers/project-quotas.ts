/**
 * project-quotas: keeps the quotas and container limits of a cluster's namespaces as its projects have them, and counts in each
 * project what of it is given. Runs where the cluster is owned, while it is connected. A cluster whose projects limit
 * nothing costs a look now and then.
 */
import type { Project } from '@drover/api';
import { ignoreNotFound, isConflict, isNotFound, type Log, type Resource, sleep } from '@drover/base';
import { KubeClient, limitRanges, namespaces, type ResourceRef, resourceQuotas, WatchCache } from '@drover/kube';
import type { Upstreams } from '../clusters/upstream.ts';
import { type Caches, namespaceIndex, type Resources } from '../resources/index.ts';
import { projectKey } from './cluster-projects.ts';
import { isOurs, marksOf, quotaPart } from './ours.ts';
import { sameQuota } from './quota-amounts.ts';
import {
  containerKey,
  hasQuota,
  type LimitRange,
  type NamespacePlan,
  planQuotas,
  type QuotaObject,
  quotaKey,
  quotaLabel,
  sameAmounts,
  sameLimits,
  statusKey,
  withConditions,
} from './quota-plan.ts';
import { runRounds } from './rounds.ts';

/** On a project some namespace of which has container limits of its own, though the project has none. */
export const ownLimitsKey = 'drover.io/container-limits';
const labelSelector = `${quotaLabel}=true`;
/** Limits that nobody told this server of are found at the latest after this. */
const lookEveryMs = 5 * 60_000;
/** Thousands of clusters may come back at once, and what none of their projects asks for can wait. */
const firstLookMs = 60_000;
const gatherMs = 200;

export interface ProjectQuotasDeps {
  readonly upstreams: Upstreams;
  readonly resources: Resources;
  readonly caches: Pick<Caches, 'project'>;
  readonly setting: (name: string) => string;
  readonly log: Log;
}

/** Runs until the signal aborts. */
export function runProjectQuotas(deps: ProjectQuotasDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  const failure = 'quotas of projects can not be kept in step';
  return runRounds({ ...deps, clusterId, signal, failure, round: round => follow(deps, clusterId, round) });
}

/** One round over one connection. */
async function follow(deps: ProjectQuotasDeps, clusterId: string, signal: AbortSignal): Promise<void> {
  await whenNeeded(deps, clusterId, signal);
  await using client = new KubeClient(deps.upstreams.connection(clusterId));
  const quotas = new WatchCache<QuotaObject>(client, resourceQuotas, { labelSelector });
  const limits = new WatchCache<LimitRange>(client, limitRanges, { labelSelector });
  const places = new WatchCache<Resource>(client, namespaces, { transform: slim });
  const caches = [quotas, limits, places] as const;
  let wake: () => void = () => undefined;
  for (const cache of caches) cache.subscribe(() => wake());
  deps.caches.project.subscribe(() => wake(), signal, { namespace: clusterId });
  const failed = Promise.race(caches.map(cache => cache.run(signal)));
  failed.catch(() => undefined);
  await Promise.race([Promise.all(caches.map(cache => cache.synced(signal))), failed]);
  while (!signal.aborted) {
    const changed = new Promise<void>(resolve => {
      wake = resolve;
    });
    await settle(deps, client, {
      clusterId,
      quotas: quotas.list(),
      limits: limits.list(),
      places: places.list(),
      signal,
    });
    await Promise.race([changed, failed]);
    await sleep(gatherMs, signal);
  }
}

/** Resolves once some project of the cluster limits something, or the cluster holds limits from here. */
async function whenNeeded(
  { caches, upstreams }: ProjectQuotasDeps,
  clusterId: string,
  signal: AbortSignal,
): Promise<void> {
  const told = Promise.withResolvers<void>();
  const stop = new AbortController();
  caches.project.subscribe(
    ({ after }) => after && limitsAnything(after) && told.resolve(),
    AbortSignal.any([signal, stop.signal]),
    { namespace: clusterId },
  );
  try {
    for (let waitMs = Math.random() * firstLookMs; !signal.aborted; ) {
      const due = sleep(waitMs, signal).then(() => false);
      if (await Promise.race([told.promise.then(() => true), due])) return;
      await using client = new KubeClient(upstreams.connection(clusterId));
      for (const ref of [resourceQuotas, limitRanges]) {
        const { items } = await client.list<Resource>(ref, { labelSelector, limit: 1, signal });
        if (items.length > 0) return;
      }
      waitMs = lookEveryMs * (0.9 + Math.random() * 0.2);
    }
  } finally {
    stop.abort();
  }
}

const limitsAnything = (project: Project): boolean =>
  hasQuota(project) ||
  Boolean(project.spec?.containerDefaultResourceLimit) ||
  project.metadata.annotations?.[ownLimitsKey] !== undefined;

const keptAnnotations = [projectKey, quotaKey, containerKey, statusKey];

function slim({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, annotations = {} } = metadata;
  const kept = keptAnnotations.filter(key => annotations[key] !== undefined).map(key => [key, annotations[key]!]);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      deletionTimestamp,
      annotations: Object.fromEntries(kept),
    },
  };
}

interface Seen {
  readonly clusterId: string;
  readonly quotas: readonly QuotaObject[];
  readonly limits: readonly LimitRange[];
  readonly places: readonly Resource[];
  readonly signal: AbortSignal;
}

async function settle(deps: ProjectQuotasDeps, client: KubeClient, seen: Seen): Promise<void> {
  const { clusterId, places, signal } = seen;
  const installUuid = deps.setting('install-uuid');
  const quotasIn = Map.groupBy(seen.quotas, ({ metadata }) => metadata.namespace ?? '');
  const limitsIn = Map.groupBy(seen.limits, ({ metadata }) => metadata.namespace ?? '');
  const plan = planQuotas({
    clusterId,
    projects: deps.caches.project.by(namespaceIndex, clusterId),
    namespaces: places,
    quotaIn: name => quotasIn.get(name)?.[0],
  });
  const byName = new Map(places.map(one => [one.metadata.name, one]));
  for (const one of plan.namespaces) {
    const place = byName.get(one.name)!;
    const mine = { installUuid, inProject: place.metadata.annotations?.[projectKey] !== undefined };
    const put = { namespace: one.name, ...mine, signal };
    const spec = one.hard && { hard: one.hard };
    await putOne(client, resourceQuotas, {
      ...put,
      seen: quotasIn.get(one.name) ?? [],
      spec,
      isSame: there => sameAmounts((there as QuotaObject).spec?.hard, one.hard),
    });
    await putOne(client, limitRanges, {
      ...put,
      seen: limitsIn.get(one.name) ?? [],
      spec: one.limits && { limits: [one.limits] },
      isSame: there => one.limits !== undefined && sameLimits(there as LimitRange, one.limits),
    });
    await annotate(client, place, one, signal);
  }
  await writeUsed(deps, clusterId, plan.used);
}

interface Put {
  readonly namespace: string;
  readonly seen: readonly Resource[];
  /** Undefined where there is to be none. */
  readonly spec: object | undefined;
  isSame(there: Resource): boolean;
  readonly installUuid: string;
  /** Whether whatever carries the label is this server's to change; else only what it made itself. */
  readonly inProject: boolean;
  readonly signal: AbortSignal;
}

/** Makes, changes or removes the one object; somebody may do so at the same time, then the next look decides. */
async function putOne(client: KubeClient, ref: ResourceRef, put: Put): Promise<void> {
  const { namespace, spec, installUuid, inProject, signal } = put;
  const mayTouch = (one: Resource) => inProject || isOurs(one, installUuid);
  const [first, ...more] = put.seen.filter(mayTouch);
  const surplus = spec === undefined && first ? [first, ...more] : more;
  for (const { metadata } of surplus) {
    const { name, uid } = metadata;
    await ignoreNotFound(client.delete(ref, name, { namespace, preconditions: { uid }, signal }));
  }
  if (spec === undefined) return;
  if (!first) {
    const labels = { ...marksOf(installUuid), ...quotaPart, [quotaLabel]: 'true' };
    const metadata = { generateName: 'default-', namespace, labels } as unknown as Resource['metadata'];
    const made = { apiVersion: ref.apiVersion, kind: ref.kind!, metadata, spec } as Resource;
    await client.create(ref, made, { signal }).catch(error => {
      if (!isNotFound(error)) throw error;
    });
  } else if (!put.isSame(first)) {
    const next = { ...first, apiVersion: ref.apiVersion, kind: ref.kind!, spec } as Resource;
    await client.update(ref, next, { signal }).catch(unlessChanged);
  }
}

const unlessChanged = (error: unknown): void => {
  if (!isConflict(error) && !isNotFound(error)) throw error;
};

async function annotate(client: KubeClient, place: Resource, plan: NamespacePlan, signal: AbortSignal): Promise<void> {
  const there = place.metadata.annotations ?? {};
  const status = withConditions(place, plan.conditions, new Date());
  const wanted = { ...plan.annotations, ...(status === undefined ? {} : { [statusKey]: status }) };
  const differs = ([key, value]: [string, string | null]) =>
    key === quotaKey ? !sameQuota(there[key], value ?? undefined) : (there[key] ?? null) !== value;
  const changed = Object.entries(wanted).filter(differs);
  if (changed.length === 0) return;
  const { name, resourceVersion } = place.metadata;
  const metadata = { resourceVersion, annotations: Object.fromEntries(changed) };
  await client.patch(namespaces, name, { metadata }, { type: 'merge', signal }).catch(unlessChanged);
}

async function writeUsed(
  { resources, caches }: ProjectQuotasDeps,
  clusterId: string,
  used: ReadonlyMap<string, object>,
): Promise<void> {
  const isSame = (project: Project, usedLimit: object) =>
    JSON.stringify(project.spec?.resourceQuota?.usedLimit) === JSON.stringify(usedLimit);
  for (const [name, usedLimit] of used) {
    const kept = caches.project.get(name, clusterId);
    if (!kept || isSame(kept, usedLimit)) continue;
    await ignoreNotFound(
      resources.modify('project', { name, namespace: clusterId }, project =>
        !project.spec?.resourceQuota || isSame(project, usedLimit)
          ? undefined
          : { ...project, spec: { ...project.spec, resourceQuota: { ...project.spec.resourceQuota, usedLimit } } },
      ),
    );
  }
}
