/** Who may put namespaces into which projects. */
import { notFound } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';
import { refusal } from '../explain/refusal.ts';

/** Who moves a namespace must be allowed to in both projects: the one it leaves and the one it comes to. */
export function requireProjects(
  request: ApiView,
  ofCluster: string | undefined,
  projects: readonly (string | null | undefined)[],
): void {
  for (const projectId of projects) {
    if (!projectId) continue;
    const [clusterId = '', name = ''] = projectId.split(':');
    const { caches, auth } = request.deps;
    const { access } = auth;
    const known = clusterId === ofCluster && request.deps.caches.project.get(name, clusterId);
    if (!known) throw notFound('project', projectId);
    const place = { namespace: clusterId, name };
    if (access.may(request.caller, 'update', 'project', place)) continue;
    const text = `you may not put namespaces into project "${projectId}", nor take them out`;
    throw refusal({ caches, access }, request.caller, { text, wanted: { verb: 'update', type: 'project', place } });
  }
}
