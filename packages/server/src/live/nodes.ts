/** Nodes in v3: kept in step by their cluster, and changed in it by their actions. */
import type { ManagedNode } from '@drover/api';
import { findCondition } from '@drover/base';
import { behaviour } from '../api/behaviour.ts';
import { drain, isCordoned, isDraining, setUnschedulable, stopDrain } from './node-actions.ts';

export const nodes = behaviour<ManagedNode>({
  repeatable: true,
  show(_, data, node) {
    if (data['state'] !== 'active' || !node.spec?.unschedulable) return data;
    const drained = findCondition(node.status?.conditions, 'Drained')?.status === 'True';
    return { ...data, state: drained ? 'drained' : 'cordoned' };
  },
  actions: {
    cordon: {
      offered: (request, node) => !isCordoned(request, node),
      run: async (request, node) => void (await setUnschedulable(request, node, true)),
    },
    uncordon: {
      offered: (request, node) => isCordoned(request, node) && !isDraining(request, node),
      run: async (request, node) => void (await setUnschedulable(request, node, false)),
    },
    drain: {
      offered: (request, node) => !isDraining(request, node),
      run: async (request, node, input) => void (await drain(request, node, input)),
    },
    stopDrain: { offered: isDraining, run: async (_, node) => void stopDrain(node) },
  },
});
