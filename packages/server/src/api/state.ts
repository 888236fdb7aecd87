/**
 * What state a resource is in, for people: worked out from its conditions, in one place, never stored. The table and its
 * order are those that clients of this API have come to know.
 */
import { types } from '@drover/api';
import { type Condition, findCondition, type Resource } from '@drover/base';

export interface State {
  readonly state: string;
  readonly transitioning: 'yes' | 'no' | 'error';
  readonly transitioningMessage: string;
}

/** Unknown: in this state, on the way. False: in this state, failed. */
const steps = new Map(
  Object.entries({
    Pending: 'pending',
    Provisioned: 'provisioning',
    AgentDeployed: 'provisioning',
    Updated: 'updating',
    Upgraded: 'upgrading',
    Waiting: 'waiting',
    Removed: 'removing',
    Initialized: 'initializing',
    Saved: 'saving',
    Reconciled: 'reconciling',
    CreatorMadeOwner: 'configuring',
    BackingNamespaceCreated: 'configuring',
    DefaultProjectCreated: 'configuring',
    InitialRolesPopulated: 'activating',
    Active: 'activating',
    Registered: 'registering',
    Drained: 'draining',
  }),
);

/** False: not there, and being waited for. */
const readiness = new Map(
  Object.entries({
    Ready: 'unavailable',
    Available: 'updating',
    Completed: 'activating',
  }),
);

export function stateOf(resource: Resource<unknown, { conditions?: readonly Condition[] }>): State {
  const { deletionTimestamp, finalizers } = resource.metadata;
  const conditions = resource.status?.conditions ?? [];
  if (deletionTimestamp) return removing(conditions, finalizers);
  const signs = conditions.map(signOf).filter(sign => sign !== undefined);
  const failed = signs.some(sign => sign.failed);
  const message = signs
    .map(sign => sign.message)
    .filter(Boolean)
    .join('; ');
  if (signs.length > 0)
    return { state: signs[0]!.state, transitioning: failed ? 'error' : 'yes', transitioningMessage: message };
  if (isUnbegun(resource))
    return { state: 'provisioning', transitioning: 'yes', transitioningMessage: 'waiting to be looked at' };
  return { state: 'active', transitioning: 'no', transitioningMessage: '' };
}

/** A cluster that nobody has looked at yet: whoever makes it has still to say what is missing. */
const isUnbegun = ({ kind, status }: Resource<unknown, { conditions?: readonly Condition[] }>): boolean =>
  kind === types.cluster.kind && !['Provisioned', 'Pending'].some(type => findCondition(status?.conditions, type));

function signOf({
  type,
  status,
  reason,
  message = '',
}: Condition): { state: string; failed: boolean; message: string } | undefined {
  const step = steps.get(type);
  if (reason === 'Error') return { state: step ?? 'error', failed: true, message };
  if (step && status !== 'True') return { state: step, failed: status === 'False', message };
  const ready = readiness.get(type);
  if (ready && status !== 'True') return { state: ready, failed: status === 'Unknown', message };
  if ((type === 'Stalled' || type === 'Failed') && status === 'True') return { state: 'error', failed: true, message };
  return undefined;
}

function removing(conditions: readonly Condition[], finalizers: readonly string[] = []): State {
  const told = conditions.find(condition => condition.type === 'Removed' && condition.status !== 'True')?.message;
  const waiting = finalizers.length > 0 ? `waiting on ${finalizers[0]}` : '';
  return { state: 'removing', transitioning: 'yes', transitioningMessage: told ?? waiting };
}
