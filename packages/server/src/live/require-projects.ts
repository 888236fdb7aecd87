/** Who may put namespaces into which projects. */
import { forbidden, notFound } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';

/** Who moves a namespace must be allowed to in both projects: the one it leaves and the one it comes to. */
export function requireProjects(
  request: ApiView,
  ofCluster: string | undefined,
  projects: readonly (string | null | undefined)[],
): void {
  for (const projectId of projects) {
    if (!projectId) continue;
    const [clusterId = '', name = ''] = projectId.split(':');
    const { access } = request.deps.auth;
    const known = clusterId === ofCluster && request.deps.caches.project.get(name, clusterId);
    if (!known) throw notFound('project', projectId);
    if (!access.may(request.caller, 'update', 'project', { namespace: clusterId, name }))
      throw forbidden(`you may not put namespaces into project "${projectId}"`);
  }
}
