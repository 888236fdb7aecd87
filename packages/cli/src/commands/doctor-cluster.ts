/** What doctor says of a cluster by what the server knows of it, and where to look next: that hangs on what the cluster is made of. */
import type { Condition } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { age } from '../output.ts';
import type { Finding } from './doctor-way.ts';

/** How it is, with the cause of each thing that is not as it should be. */
export function describeCluster(cluster: V3Resource): Finding {
  const conditions = (cluster['conditions'] ?? []) as Condition[];
  const wrong = conditions.filter(
    condition => condition.status !== 'True' && ['Connected', 'Ready', 'Provisioned'].includes(condition.type),
  );
  const causes = wrong.map(
    condition =>
      `${condition.type} since ${age(condition.lastTransitionTime) ?? '?'}: ${condition.message || condition.reason || condition.status}`,
  );
  const name = cluster.name ?? cluster.id;
  if (causes.length === 0 && cluster['transitioningMessage']) causes.push(String(cluster['transitioningMessage']));
  return {
    check: `Cluster ${name}`,
    ok: cluster.state === 'active',
    seen: [cluster.state, ...causes].join('; '),
    todo: todoFor(cluster, name),
  };
}

/** Its own cluster the server runs as processes, and one of hosts has no agent before it is made: neither can be asked for its logs. */
function todoFor({ internal, state, links }: V3Resource, name: string): string {
  if (internal === true)
    return `the server runs it as its own processes: what it is at is in the output of drover up, their logs are in local/logs of its data directory`;
  if (links?.['timeline']) return `each step on its hosts, with its error: drover clusters timeline ${name}`;
  return state === 'pending'
    ? `no agent has connected yet: drover clusters import ${name} --context CONTEXT installs it`
    : 'in the cluster: kubectl -n cattle-system logs deploy/cattle-cluster-agent';
}
