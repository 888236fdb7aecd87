/**
 * Namespaces of a cluster, asked for and changed in the cluster itself as the caller: what he may do there is decided
 * there. Which project one belongs to is an annotation on it.
 */
import type { V3Data } from '@drover/api';
import { forbidden, notFound, type Resource } from '@drover/base';
import { KubeClient, namespaces as namespaceRef } from '@drover/kube';
import { identityHeaders } from '../auth/index.ts';
import { type ApiRequest, behaviour } from './behaviour.ts';

const projectAnnotation = 'field.cattle.io/projectId';
const descriptionAnnotation = 'field.cattle.io/description';

interface Namespace extends Resource {
  readonly status?: { readonly phase?: string };
}

/** A client of the context's cluster that is the caller there. */
async function asCaller<T>(request: ApiRequest, use: (client: KubeClient) => Promise<T>): Promise<T> {
  const { deps, caller, context } = request;
  if (!context || !deps.auth.access.mayReach(caller, context.id)) throw notFound('cluster', context?.id ?? '');
  const { origin, ca, clientCert, clientKey, token, dialer } = deps.upstreams.get(context.id);
  const impersonate = { user: caller.userId, groups: caller.groups, extra: caller.extra };
  // Checks that the caller is somebody, as on every other way into a cluster.
  identityHeaders(caller);
  await using client = new KubeClient({ server: origin, ca, clientCert, clientKey, token, dialer, impersonate });
  return use(client);
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
    projectId: annotations[projectAnnotation] ?? null,
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
function requireProjects(request: ApiRequest, projects: readonly (string | null | undefined)[]): void {
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

export const namespaces = behaviour<never>({
  source: {
    list: request => asCaller(request, async client => (await client.list<Namespace>(namespaceRef)).items.map(show)),
    get: (request, id) => asCaller(request, async client => show(await client.get<Namespace>(namespaceRef, id))),
    update: (request, id, input) =>
      asCaller(request, async client => {
        const annotations = {
          ...(input['annotations'] as Record<string, string> | undefined),
          [descriptionAnnotation]: input['description'],
        };
        return show(
          await client.patch<Namespace>(
            namespaceRef,
            id,
            { metadata: { labels: input['labels'], annotations } },
            { type: 'merge' },
          ),
        );
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
      const projectId = input['projectId'] as string | undefined;
      requireProjects(request, [projectId]);
      const annotations = {
        ...(input['annotations'] as Record<string, string> | undefined),
        'field.cattle.io/creatorId': request.caller.userId,
        ...(projectId ? { [projectAnnotation]: projectId } : {}),
        ...(input['description'] ? { [descriptionAnnotation]: String(input['description']) } : {}),
      };
      const labels = {
        ...(input['labels'] as Record<string, string> | undefined),
        ...(projectId ? { [projectAnnotation]: projectId.split(':')[1]! } : {}),
      };
      const metadata = { name: String(input['name']), labels, annotations };
      return show(await client.create<Namespace>(namespaceRef, { apiVersion: 'v1', kind: 'Namespace', metadata }));
    }),
});
