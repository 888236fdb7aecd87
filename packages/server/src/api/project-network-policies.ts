/** Network policies of projects in v3: made by the server where a cluster isolates its projects, and there to be read. */
import type { ProjectNetworkPolicy } from '@drover/api';
import { behaviour } from './behaviour.ts';

export const projectNetworkPolicies = behaviour<ProjectNetworkPolicy>({
  repeatable: true,
  show: (_, data) => ({ ...data, state: 'active', transitioning: 'no', transitioningMessage: '' }),
});
