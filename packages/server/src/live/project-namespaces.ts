/**
 * Which namespaces are in which project: the annotation on each, read by the server itself, since a member of a project may
 * not list namespaces. A project's context shows nothing of any other namespace.
 */
import { notFound, type Resource } from '@drover/base';
import { namespaces } from '@drover/kube';
import type { ApiView } from '../api/behaviour.ts';
import { projectKey } from '../controllers/cluster-projects.ts';
import { asServer } from './as-caller.ts';

/** The names of the namespaces in the context's project. */
export async function namespacesOf(request: ApiView): Promise<Set<string>> {
  const { context } = request;
  const names = new Set<string>();
  // The label only narrows the list down; the annotation is what counts.
  const labelSelector = `${projectKey}=${context?.id.split(':')[1] ?? ''}`;
  for await (const { metadata } of asServer(request).listAll<Resource>(namespaces, { labelSelector })) {
    if (metadata.annotations?.[projectKey] === context?.id) names.add(metadata.name);
  }
  return names;
}

/** Throws NotFound where the namespace is not in the context's project: as if it were not there at all. */
export async function requireInProject(request: ApiView, namespace: string): Promise<void> {
  if (request.context?.type !== 'project') return;
  const found = await asServer(request)
    .get<Resource>(namespaces, namespace)
    .catch(() => undefined);
  if (found?.metadata.annotations?.[projectKey] !== request.context.id) throw notFound('namespace', namespace);
}
