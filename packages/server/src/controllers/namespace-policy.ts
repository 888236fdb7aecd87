/**
 * namespace-policy: keeps in each cluster the policy that says who may put namespaces into projects and set their pod
 * security. A cluster too old to have such policies (before Kubernetes 1.30) goes without: there v3 alone asks.
 */
import { ignoreNotFound, isTrue } from '@drover/base';
import { admissionPolicies, admissionPolicyBindings } from '@drover/kube';
import type { ClusterClients } from '../clusters/clients.ts';
import { type Controller, controller } from '../resources/index.ts';
import { DoneInside } from './done-inside.ts';
import { planNamespacePolicy } from './namespace-policy-plan.ts';

/** What somebody took away or changed in the cluster is put right at the latest after this. */
const repairEveryMs = 60_000;

export interface NamespacePolicyDeps {
  readonly clients: Pick<ClusterClients, 'get'>;
  readonly setting: (name: string) => string;
}

export function namespacePolicy({ clients, setting }: NamespacePolicyDeps): Controller<'cluster'> {
  const done = new DoneInside();
  return controller({
    name: 'namespace-policy',
    for: 'cluster',
    workers: 16,
    async reconcile(cluster, { signal }) {
      const id = cluster.metadata.name;
      if (!isTrue(cluster.status?.conditions, 'Connected')) {
        done.forget(id);
        return undefined;
      }
      const client = clients.get(id);
      const restMs = done.restMs(id, client);
      if (restMs > 0) return { after: restMs };
      const [policy, binding] = planNamespacePolicy(setting('install-uuid'));
      const how = { type: 'apply', fieldManager: 'drover', force: true, signal } as const;
      const there = await ignoreNotFound(client.patch(admissionPolicies, policy.metadata.name, policy, how));
      if (there) await client.patch(admissionPolicyBindings, binding.metadata.name, binding, how);
      done.note(id, { over: client, forMs: repairEveryMs });
      return { after: repairEveryMs * (0.9 + Math.random() * 0.2) };
    },
  });
}
