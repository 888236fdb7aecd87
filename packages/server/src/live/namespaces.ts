/**
 * Namespaces of a cluster, asked for and changed in the cluster itself as the caller: what he may do there is decided
 * there. Which project one belongs to is an annotation on it.
 */
import type { V3Data } from '@drover/api';
import { hasReason, invalid, type Resource } from '@drover/base';
import { namespaces as namespaceRef } from '@drover/kube';
import { type ApiView, behaviour } from '../api/behaviour.ts';
import { mergeLabels } from '../api/merge.ts';
import { projectKey } from '../controllers/cluster-projects.ts';
import { asCaller, asServer } from './as-caller.ts';
import { isOffered } from './live-rights.ts';
import { requireMaySetPodSecurity } from './namespace-pod-security.ts';
import { quotaAnnotations, quotaState, requireNoQuota, showQuota } from './namespace-quota.ts';
import { requireProjects } from './require-projects.ts';
import { yamlLink } from './yaml-link.ts';

const descriptionAnnotation = 'field.cattle.io/description';

interface Namespace extends Resource {
  readonly status?: { readonly phase?: string };
}

function goingState(phase: string, deletionTimestamp: string | undefined): V3Data {
  const state = deletionTimestamp ? 'removing' : phase.toLowerCase();
  return { state, transitioning: deletionTimestamp ? 'yes' : 'no', transitioningMessage: '' };
}

/** A namespace as v3 shows it. */
export function showNamespace(namespace: Namespace): V3Data {
  const { name, annotations = {}, labels = {}, creationTimestamp, deletionTimestamp, uid } = namespace.metadata;
  const phase = namespace.status?.phase ?? 'Active';
  return {
    id: name,
    type: 'namespace',
    baseType: 'namespace',
    name,
    description: annotations[descriptionAnnotation],
    projectId: annotations[projectKey] ?? null,
    ...showQuota(annotations),
    annotations,
    labels,
    uuid: uid,
    created: creationTimestamp,
    createdTS: Date.parse(creationTimestamp ?? ''),
    ...(deletionTimestamp ? { removed: deletionTimestamp } : {}),
    creatorId: annotations['field.cattle.io/creatorId'] ?? null,
    ...(deletionTimestamp || phase !== 'Active' ? goingState(phase, deletionTimestamp) : quotaState(namespace)),
  };
}

/** How many namespaces are asked for at once, where they are asked for one by one. */
const atOnce = 16;

/** All of the cluster for who may list them; else those of the caller's projects, each asked for as the caller. */
async function listNamespaces(request: ApiView): Promise<readonly Namespace[]> {
  const client = asCaller(request);
  try {
    return await Array.fromAsync(client.listAll<Namespace>(namespaceRef));
  } catch (error) {
    if (!hasReason(error, 'Forbidden')) throw error;
  }
  const names: string[] = [];
  for await (const { metadata } of asServer(request).listAll<Namespace>(namespaceRef))
    if (isInProjectOf(request, metadata.annotations?.[projectKey])) names.push(metadata.name);
  const out: Namespace[] = [];
  for (let at = 0; at < names.length; at += atOnce) {
    const asked = names.slice(at, at + atOnce).map(name => client.get<Namespace>(namespaceRef, name));
    for (const answer of await Promise.allSettled(asked)) {
      if (answer.status === 'fulfilled') out.push(answer.value);
      else if (!hasReason(answer.reason, 'Forbidden', 'NotFound')) throw answer.reason;
    }
  }
  return out;
}

function isInProjectOf({ deps, caller, context }: ApiView, projectId: string | undefined): boolean {
  const [clusterId = '', name = ''] = projectId?.split(':') ?? [];
  if (clusterId !== context?.id) return false;
  return deps.auth.access.may(caller, 'get', 'project', { namespace: clusterId, name });
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
    list: async request => (await listNamespaces(request)).map(showNamespace),
    get: async (request, id) => showNamespace(await asCaller(request).get<Namespace>(namespaceRef, id)),
    update: async (request, id, input) => {
      const client = asCaller(request);
      const seen = await client.get<Namespace>(namespaceRef, id);
      const change = { labels: labelsOf(input, 'labels'), annotations: labelsOf(input, 'annotations') };
      const annotations = { ...mergeLabels(seen.metadata.annotations, change.annotations) };
      if (input['description'] !== undefined) annotations[descriptionAnnotation] = String(input['description'] ?? '');
      const from = seen.metadata.annotations?.[projectKey];
      const to = annotations[projectKey];
      // The annotation is what puts a namespace into a project: setting it is a move.
      if (from !== to) {
        requireProjects(request, request.context?.id, [from, to]);
        requireNoQuota(request, to);
      }
      const quota = await quotaAnnotations(request, input, { name: id, projectId: to, isNew: false });
      const labels = withProject(mergeLabels(seen.metadata.labels, change.labels), to);
      requireMaySetPodSecurity(request, { projectId: to, from: seen.metadata.labels, to: labels });
      const metadata = {
        labels: patchOf(seen.metadata.labels, labels),
        annotations: { ...patchOf(seen.metadata.annotations, annotations), ...quota },
      };
      return showNamespace(await client.patch<Namespace>(namespaceRef, id, { metadata }, { type: 'merge' }));
    },
    remove: async (request, id) =>
      void (await asCaller(request).delete(namespaceRef, id, { propagationPolicy: 'Background' })),
  },
  links: (_, links) => ({ ...links, yaml: `${links['self']}/yaml` }),
  followLinks: { yaml: (request, id) => yamlLink(request, { ref: namespaceRef }, { name: id }) },
  mayCreate: () => true,
  mayUpdate: (view, data) => isOffered(view, namespaceRef, 'patch', data),
  mayDelete: (view, data) => isOffered(view, namespaceRef, 'delete', data),
  async create(request, input) {
    if (!input['name']) throw invalid('name', 'is required', 'MissingRequired');
    const given = labelsOf(input, 'annotations');
    const projectId = (input['projectId'] as string | null | undefined) || given?.[projectKey];
    requireProjects(request, request.context?.id, [projectId]);
    const name = String(input['name']);
    const quota = await quotaAnnotations(request, input, { name, projectId, isNew: true });
    const annotations = {
      ...given,
      ...Object.fromEntries(Object.entries(quota).filter(([, value]) => value !== null)),
      'field.cattle.io/creatorId': request.caller.userId,
      ...(projectId ? { [projectKey]: projectId } : {}),
      ...(input['description'] ? { [descriptionAnnotation]: String(input['description']) } : {}),
    };
    const labels = withProject(labelsOf(input, 'labels'), projectId);
    requireMaySetPodSecurity(request, { projectId, from: {}, to: labels });
    const metadata = { name, labels, annotations: annotations as Record<string, string> };
    const client = asCaller(request);
    return showNamespace(
      await client.create<Namespace>(namespaceRef, { apiVersion: 'v1', kind: 'Namespace', metadata }),
    );
  },
  actions: {
    move: {
      allowed: (view, data) => isOffered(view, namespaceRef, 'patch', data),
      async run(request, seen: V3Data, input) {
        const projectId = (input['projectId'] ?? '') as unknown;
        if (typeof projectId !== 'string')
          throw invalid('projectId', 'must be the id of a project, or empty for none', 'InvalidFormat');
        requireProjects(request, request.context?.id, [seen['projectId'] as string | null, projectId]);
        if (seen['projectId'] !== projectId) requireNoQuota(request, projectId);
        const metadata = {
          annotations: { [projectKey]: projectId || null },
          labels: { [projectKey]: projectId.split(':')[1] ?? null },
        };
        await asCaller(request).patch(namespaceRef, String(seen['id']), { metadata }, { type: 'merge' });
        return undefined;
      },
    },
  },
});
