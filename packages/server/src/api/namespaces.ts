/**
 * Namespaces of a cluster, asked for and changed in the cluster itself as the caller: what he may do there is decided
 * there. Which project one belongs to is an annotation on it.
 */
import type { V3Data } from '@drover/api';
import { forbidden, invalid, notFound, type Resource } from '@drover/base';
import { KubeClient, namespaces as namespaceRef } from '@drover/kube';
import { identityHeaders } from '../auth/index.ts';
import { projectKey } from '../controllers/cluster-projects.ts';
import { type ApiView, behaviour } from './behaviour.ts';
import { mergeLabels } from './merge.ts';

const descriptionAnnotation = 'field.cattle.io/description';

interface Namespace extends Resource {
  readonly status?: { readonly phase?: string };
}

/** A client of the context's cluster that is the caller there. */
async function asCaller<T>(request: ApiView, use: (client: KubeClient) => Promise<T>): Promise<T> {
  const { deps, caller, context } = request;
  if (!context || !deps.auth.access.mayReach(caller, context.id)) throw notFound('cluster', context?.id ?? '');
  const { origin, ca, clientCert, clientKey, token, dialer } = deps.upstreams.get(context.id);
  const impersonate = { user: caller.userId, groups: caller.groups, extra: caller.extra };
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  await using client = new KubeClient({ server: origin, ca, clientCert, clientKey, token, dialer, impersonate });
  // Awaited here: the client is closed when this scope ends.
  return await use(client);
}

function show(namespace: Namespace): V3Data {
  const { name, annotations = {}, labels = {}, creationTimestamp, deletionTimestamp, uid } = namespace.metadata;
  const phase = namespace.status?.phase ?? 'Active';
  return {
    id: name,
    type: 'namespace',
    baseType: 'namespace',
    name,
    description: annotations[descriptionAnnotation],
    projectId: annotations[projectKey] ?? null,
    annotations,
    labels,
    uuid: uid,
    created: creationTimestamp,
    createdTS: Date.parse(creationTimestamp ?? ''),
    ...(deletionTimestamp ? { removed: deletionTimestamp } : {}),
    creatorId: annotations['field.cattle.io/creatorId'] ?? null,
    state: deletionTimestamp ? 'removing' : phase.toLowerCase(),
    transitioning: deletionTimestamp ? 'yes' : 'no',
    transitioningMessage: '',
  };
}

/** Who moves a namespace must be allowed to in both projects: the one it leaves and the one it comes to. */
function requireProjects(request: ApiView, projects: readonly (string | null | undefined)[]): void {
  for (const projectId of projects) {
    if (!projectId) continue;
    const [clusterId = '', name = ''] = projectId.split(':');
    const { access } = request.deps.auth;
    const known = clusterId === request.context?.id && request.deps.caches.project.get(name, clusterId);
    if (!known) throw notFound('project', projectId);
    if (!access.may(request.caller, 'update', 'project', { namespace: clusterId, name }))
      throw forbidden(`you may not put namespaces into project "${projectId}"`);
  }
}

type Labels = Readonly<Record<string, string>> | undefined;

const labelsOf = (input: V3Data, field: 'labels' | 'annotations') => (input[field] ?? undefined) as Labels;

/** The label follows the annotation, which alone counts. */
function withProject(labels: Labels, projectId: string | undefined): Record<string, string> {
  const { [projectKey]: _, ...rest } = labels ?? {};
  return projectId ? { ...rest, [projectKey]: projectId.split(':')[1] ?? '' } : rest;
}

/** A merge patch from one to the other: what is to go is null. */
function patchOf(from: Labels, to: Labels): Record<string, string | null> {
  const gone = Object.keys(from ?? {}).filter(key => to?.[key] === undefined);
  return { ...to, ...Object.fromEntries(gone.map(key => [key, null])) };
}

export const namespaces = behaviour<V3Data>({
  source: {
    list: request => asCaller(request, async client => (await client.list<Namespace>(namespaceRef)).items.map(show)),
    get: (request, id) => asCaller(request, async client => show(await client.get<Namespace>(namespaceRef, id))),
    update: (request, id, input) =>
      asCaller(request, async client => {
        const seen = await client.get<Namespace>(namespaceRef, id);
        const change = { labels: labelsOf(input, 'labels'), annotations: labelsOf(input, 'annotations') };
        const annotations = { ...mergeLabels(seen.metadata.annotations, change.annotations) };
        if (input['description'] !== undefined) annotations[descriptionAnnotation] = String(input['description'] ?? '');
        const from = seen.metadata.annotations?.[projectKey];
        const to = annotations[projectKey];
        // The annotation is what puts a namespace into a project: setting it is a move.
        if (from !== to) requireProjects(request, [from, to]);
        const labels = withProject(mergeLabels(seen.metadata.labels, change.labels), to);
        const metadata = {
          labels: patchOf(seen.metadata.labels, labels),
          annotations: patchOf(seen.metadata.annotations, annotations),
        };
        return show(await client.patch<Namespace>(namespaceRef, id, { metadata }, { type: 'merge' }));
      }),
    remove: (request, id) =>
      asCaller(
        request,
        async client => void (await client.delete(namespaceRef, id, { propagationPolicy: 'Background' })),
      ),
  },
  mayCreate: () => true,
  create: (request, input) =>
    asCaller(request, async client => {
      if (!input['name']) throw invalid('name', 'is required', 'MissingRequired');
      const given = labelsOf(input, 'annotations');
      const projectId = (input['projectId'] as string | null | undefined) || given?.[projectKey];
      requireProjects(request, [projectId]);
      const annotations = {
        ...given,
        'field.cattle.io/creatorId': request.caller.userId,
        ...(projectId ? { [projectKey]: projectId } : {}),
        ...(input['description'] ? { [descriptionAnnotation]: String(input['description']) } : {}),
      };
      const labels = withProject(labelsOf(input, 'labels'), projectId);
      const metadata = { name: String(input['name']), labels, annotations };
      return show(await client.create<Namespace>(namespaceRef, { apiVersion: 'v1', kind: 'Namespace', metadata }));
    }),
  actions: {
    move: {
      async run(request, seen: V3Data, input) {
        const projectId = (input['projectId'] ?? '') as unknown;
        if (typeof projectId !== 'string')
          throw invalid('projectId', 'must be the id of a project, or empty for none', 'InvalidFormat');
        requireProjects(request, [seen['projectId'] as string | null, projectId]);
        const metadata = {
          annotations: { [projectKey]: projectId || null },
          labels: { [projectKey]: projectId.split(':')[1] ?? null },
        };
        await asCaller(request, client =>
          client.patch(namespaceRef, String(seen['id']), { metadata }, { type: 'merge' }),
        );
        return undefined;
      },
    },
  },
});
