/** Projects in v3: namespaces of a cluster that belong together. The two that the server makes itself stay. */
import { type Project, types } from '@drover/api';
import { alreadyExists, invalid, methodNotAllowed } from '@drover/base';
import { systemProjectLabel } from '../controllers/cluster-projects.ts';
import { behaviour } from './behaviour.ts';
import { exportYaml } from './export-yaml.ts';
import { checkProjectQuota } from './project-quota.ts';
import { requireReach } from './tokens.ts';

export const projects = behaviour<Project>({
  repeatable: true,
  prepareCreate(request, input) {
    requireReach(request, String(input['clusterId']));
    return checkProjectQuota(request, input);
  },
  // Its name alone is where older clients keep its bindings: two of one name would share them.
  async afterCreate({ deps: { caches } }, { metadata }) {
    for (const { metadata: other } of caches.project.all())
      if (other.name === metadata.name && other.namespace !== metadata.namespace)
        throw alreadyExists('project', metadata.name);
  },
  prepareUpdate(request, input, project, { replace } = { replace: false }) {
    const { clusterId = project.spec?.clusterName } = input;
    // It lies below its cluster, by its id as well.
    if (clusterId !== project.spec?.clusterName)
      throw invalid('clusterId', 'a project stays in its cluster', 'InvalidOption');
    return checkProjectQuota(request, { ...input, clusterId }, { project, replace });
  },
  actions: { exportYaml: { run: (_, project) => exportYaml(types.project, project) } },
  objections: {
    delete: (_, { metadata }) =>
      metadata.labels?.[systemProjectLabel] === 'true'
        ? () => methodNotAllowed('DELETE', 'the System project')
        : undefined,
  },
});
