/** Nodes in v3: kept in step by their cluster, and changed in it by their actions. */
import type { ManagedNode } from '@drover/api';
import { findCondition, invalid, methodNotAllowed, type StatusError } from '@drover/base';
import { type ApiRequest, type ApiView, behaviour } from '../api/behaviour.ts';
import { onceIn } from '../api/once-in.ts';
import { isRegistered } from '../provisioning/plan-hosts.ts';
import { namespaceIndex } from '../resources/index.ts';
import { seemsToMay } from './known-rights.ts';
import { drain, isCordoned, isDraining, setUnschedulable, stopDrain } from './node-actions.ts';

const mayKeepFree = (request: ApiView, { metadata: { namespace = '' } }: ManagedNode): boolean =>
  onceIn(request, `keep free in ${namespace}`, () =>
    seemsToMay(request, namespace, { verb: 'patch', group: '', resource: 'nodes' }),
  );

export const nodes = behaviour<ManagedNode>({
  repeatable: true,
  show(_, data, node) {
    if (data['state'] !== 'active' || !node.spec?.unschedulable) return data;
    const drained = findCondition(node.status?.conditions, 'Drained')?.status === 'True';
    return { ...data, state: drained ? 'drained' : 'cordoned' };
  },
  objections: { delete: (_, node) => notOurs(node) },
  async remove(request, node) {
    requireQuorum(request, node);
    const { name, namespace } = node.metadata;
    await request.deps.resources.delete('node', { name, namespace });
  },
  actions: {
    cordon: {
      offered: (request, node) => !isCordoned(request, node),
      allowed: mayKeepFree,
      run: async (request, node) => void (await setUnschedulable(request, node, true)),
    },
    uncordon: {
      offered: (request, node) => isCordoned(request, node) && !isDraining(request, node),
      allowed: mayKeepFree,
      run: async (request, node) => void (await setUnschedulable(request, node, false)),
    },
    drain: {
      offered: (request, node) => !isDraining(request, node),
      allowed: mayKeepFree,
      run: async (request, node, input) => void (await drain(request, node, input)),
    },
    stopDrain: {
      offered: isDraining,
      allowed: mayKeepFree,
      run: async (request, node) => void (await stopDrain(request, node)),
    },
  },
});

/** Only what registered here goes by being deleted here. */
function notOurs(node: ManagedNode): (() => StatusError) | undefined {
  if (isRegistered(node)) return undefined;
  const what = node.spec?.customConfig
    ? 'a node that the cluster’s rancherKubernetesEngineConfig names: take it out there'
    : 'a node that its own cluster has: delete it in the cluster';
  return () => methodNotAllowed('DELETE', what);
}

/** No cluster is left without what it stands on. */
function requireQuorum({ deps }: ApiRequest, node: ManagedNode): void {
  const { namespace = '' } = node.metadata;
  const others = deps.caches.node
    .by(namespaceIndex, namespace)
    .filter(({ metadata }) => metadata.name !== node.metadata.name && !metadata.deletionTimestamp);
  for (const [role, words] of [
    ['etcd', 'the last member of etcd'],
    ['controlPlane', 'the last control plane'],
  ] as const) {
    if (!node.spec?.[role] || others.some(({ spec }) => spec?.[role])) continue;
    // A host that never became part of a cluster takes nothing with it.
    if (!node.status?.nodeName) continue;
    throw invalid('node', `is ${words} of the cluster: add another one first, or delete the cluster`, 'InvalidState');
  }
}
