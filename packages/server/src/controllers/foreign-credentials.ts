/** foreign-credentials: renews, long before it ends, the token that is kept for a cluster behind a foreign agent. */
import { isTrue } from '@drover/base';
import type { Upstreams } from '../clusters/upstream.ts';
import { renewForeign } from '../connect/foreign-agent.ts';
import { type Controller, controller } from '../resources/index.ts';

export function foreignCredentials(upstreams: Upstreams): Controller<'cluster'> {
  return controller({
    name: 'foreign-credentials',
    for: 'cluster',
    async reconcile(cluster, { resources }) {
      if (!cluster.status?.serviceAccountTokenSecret || !isTrue(cluster.status.conditions, 'Connected'))
        return undefined;
      const after = await renewForeign(resources, cluster, upstreams.connection(cluster.metadata.name));
      return after === undefined ? undefined : { after };
    },
  });
}
