/**
 * cluster-projects: gives every cluster its two projects, Default and System, and puts into them the namespaces that belong
 * there. A namespace that is in any project is left where it is, and a Default project that somebody deleted stays away.
 */
import type { Cluster, Project } from '@drover/api';
import { findCondition, isConflict, isNotFound, isTrue, type Resource, setCondition } from '@drover/base';
import { type KubeClient, namespaces } from '@drover/kube';
import type { ClusterClients } from '../clusters/clients.ts';
import { type Controller, type ControllerContext, controller, namespaceIndex } from '../resources/index.ts';
import { DoneInside } from './done-inside.ts';

export const systemProjectLabel = 'authz.management.cattle.io/system-project';
const defaultProjectLabel = 'authz.management.cattle.io/default-project';
export const projectKey = 'field.cattle.io/projectId';
/** A namespace that was made later is found at the latest after this. */
const lookEveryMs = 5 * 60_000;
const youngAgainMs = 2_000;

interface Kind {
  readonly label: string;
  readonly displayName: string;
  readonly description: string;
  /** Says on the cluster that its project has been made once. */
  readonly condition: string;
  /** Whether it is made again after it is gone. */
  readonly always: boolean;
}

const kinds: readonly Kind[] = [
  {
    label: defaultProjectLabel,
    displayName: 'Default',
    description: 'Default project created for the cluster',
    condition: 'DefaultProjectCreated',
    always: false,
  },
  {
    label: systemProjectLabel,
    displayName: 'System',
    description: 'System project created for the cluster',
    condition: 'SystemProjectCreated',
    always: true,
  },
];

export interface ClusterProjectsDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly setting: (name: string) => string;
}

export function clusterProjects({ clients, setting }: ClusterProjectsDeps): Controller<'cluster'> {
  const done = new DoneInside();
  return controller({
    name: 'cluster-projects',
    for: 'cluster',
    workers: 16,
    watches: {
      project: ({ metadata }) => [metadata.namespace ?? ''],
      setting: ({ metadata }, { caches }) =>
        metadata.name === 'system-namespaces' ? Array.from(caches.cluster.all(), one => one.metadata.name) : [],
    },
    async reconcile(cluster, context) {
      const id = cluster.metadata.name;
      for (const kind of kinds) await ensureProject(cluster, kind, context);
      const projects = projectNames(context, id);
      if (!isTrue(cluster.status?.conditions, 'Connected')) {
        done.forget(id);
        return undefined;
      }
      const wanted = wantedPlaces(context, id, setting('system-namespaces'));
      const client = clients.get(id);
      const what = JSON.stringify([...wanted, projects]);
      const restMs = done.restMs(id, client, what);
      if (restMs > 0) return { after: restMs };
      const { items } = await client.list<Resource>(namespaces, { signal: context.signal });
      for (const move of planMoves(items, wanted)) await putInto(client, move, context.signal);
      for (const namespace of await ofNoProject(items, id, context))
        await putInto(client, { namespace, projectId: undefined }, context.signal);
      // A cluster that has just come up makes its first namespaces now.
      if (!items.some(({ metadata }) => metadata.name === 'kube-system')) return { after: youngAgainMs };
      done.note(id, { over: client, what, forMs: lookEveryMs });
      return { after: lookEveryMs * (0.9 + Math.random() * 0.2) };
    },
  });
}

const projectNames = ({ caches }: ControllerContext, clusterId: string): string =>
  caches.project
    .by(namespaceIndex, clusterId)
    .map(({ metadata }) => metadata.name)
    .sort()
    .join();

async function isGone({ caches, resources }: ControllerContext, clusterId: string, name: string): Promise<boolean> {
  // The cache may not have it yet.
  return !caches.project.get(name, clusterId) && !(await resources.find('project', name, clusterId));
}

function find({ caches }: ControllerContext, clusterId: string, label: string): Project | undefined {
  return caches.project.by(namespaceIndex, clusterId).find(one => one.metadata.labels?.[label] === 'true');
}

async function ensureProject(cluster: Cluster, kind: Kind, context: ControllerContext): Promise<void> {
  const { name } = cluster.metadata;
  const { resources } = context;
  const made = findCondition(cluster.status?.conditions, kind.condition)?.status === 'True';
  if (!find(context, name, kind.label) && (!made || kind.always))
    await resources.create('project', {
      metadata: { namespace: name, labels: { [kind.label]: 'true' } },
      spec: { displayName: kind.displayName, description: kind.description, clusterName: name },
    } as never);
  if (made) return;
  await resources.modify('cluster', { name }, seen => {
    const conditions = setCondition(seen.status?.conditions, { type: kind.condition, status: 'True' });
    return conditions === seen.status?.conditions ? undefined : { ...seen, status: { ...seen.status, conditions } };
  });
}

/** The project id of each namespace name that has a place of its own. */
function wantedPlaces(context: ControllerContext, clusterId: string, system: string): Map<string, string> {
  const places = new Map<string, string>();
  const put = (label: string, names: readonly string[]) => {
    const project = find(context, clusterId, label);
    if (project) for (const name of names) places.set(name, `${clusterId}:${project.metadata.name}`);
  };
  put(defaultProjectLabel, ['default']);
  put(
    systemProjectLabel,
    system
      .split(',')
      .map(name => name.trim())
      .filter(Boolean),
  );
  return places;
}

export interface Move {
  readonly namespace: Resource;
  /** Undefined takes it out of the one that it is in. */
  readonly projectId: string | undefined;
}

/** The namespaces in a project of this cluster that is not there any more. */
async function ofNoProject(
  seen: readonly Resource[],
  clusterId: string,
  context: ControllerContext,
): Promise<Resource[]> {
  const out: Resource[] = [];
  for (const namespace of seen) {
    const [cluster, name = ''] = namespace.metadata.annotations?.[projectKey]?.split(':') ?? [];
    if (cluster === clusterId && (await isGone(context, clusterId, name))) out.push(namespace);
  }
  return out;
}

/** Which namespaces go where: those with a place that are in no project, and are not on their way out. */
export function planMoves(seen: readonly Resource[], places: ReadonlyMap<string, string>): Move[] {
  return seen.flatMap(namespace => {
    const { name, annotations, deletionTimestamp } = namespace.metadata;
    const projectId = places.get(name);
    return projectId && !deletionTimestamp && !annotations?.[projectKey] ? [{ namespace, projectId }] : [];
  });
}

/** Somebody may move it at the same time: then he is right. */
async function putInto(client: KubeClient, { namespace, projectId }: Move, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion } = namespace.metadata;
  const metadata = {
    resourceVersion,
    annotations: { [projectKey]: projectId ?? null },
    labels: { [projectKey]: projectId?.split(':')[1] ?? null },
  };
  await client.patch(namespaces, name, { metadata }, { type: 'merge', signal }).catch(error => {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  });
}
