/** The state of a cluster's object, for people: from its phase, its counts or its conditions, as its kind has them. */
import type { LiveObject } from '@drover/api';
import { type State, stateOf } from '../api/state.ts';

interface Status {
  readonly phase?: string;
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly updatedReplicas?: number;
  readonly numberReady?: number;
  readonly desiredNumberScheduled?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
}

const active: State = { state: 'active', transitioning: 'no', transitioningMessage: '' };
const waiting = (state: string, message: string): State => ({
  state,
  transitioning: 'yes',
  transitioningMessage: message,
});

export function liveStateOf(object: LiveObject): State {
  if (object.metadata.deletionTimestamp) return stateOf(object as never);
  const status = (object.status ?? {}) as Status;
  switch (object.kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'ReplicaSet':
    case 'ReplicationController':
      return replicas(object, status);
    case 'DaemonSet':
      return counted(status.numberReady ?? 0, status.desiredNumberScheduled ?? 0);
    case 'Pod':
      return pod(status);
    case 'PersistentVolumeClaim':
    case 'PersistentVolume':
      return phase(status.phase);
    case 'Job':
      return job(status);
    case 'CronJob':
      return (object.spec as { suspend?: boolean } | undefined)?.suspend ? { ...active, state: 'suspended' } : active;
    case 'APIService':
      return stateOf(object as never);
    default:
      return active;
  }
}

function replicas(object: LiveObject, status: Status): State {
  const { replicas: wanted = 1, paused } = (object.spec ?? {}) as { replicas?: number; paused?: boolean };
  if (paused) return { ...active, state: 'paused' };
  const stalled = status.conditions?.find(({ type, status: is }) => type === 'Progressing' && is === 'False');
  if (stalled) return { state: 'updating', transitioning: 'error', transitioningMessage: stalled.message ?? '' };
  if (object.kind === 'Deployment' && (status.updatedReplicas ?? 0) < wanted)
    return waiting('updating', `${status.updatedReplicas ?? 0} of ${wanted} pods are of the latest template`);
  return counted(status.readyReplicas ?? 0, wanted);
}

function counted(ready: number, wanted: number): State {
  return ready >= wanted ? active : waiting('updating', `${ready} of ${wanted} pods are ready`);
}

function pod(status: Status): State {
  if (status.phase === 'Running') {
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    return ready?.status === 'False' && ready.reason !== 'PodCompleted'
      ? waiting('unavailable', ready.message ?? '')
      : { ...active, state: 'running' };
  }
  if (status.phase === 'Failed') return { state: 'failed', transitioning: 'error', transitioningMessage: '' };
  return phase(status.phase);
}

function phase(text = 'Pending'): State {
  const state = text.toLowerCase();
  if (state === 'pending') return waiting(state, '');
  if (state === 'lost' || state === 'failed') return { state, transitioning: 'error', transitioningMessage: '' };
  return { ...active, state };
}

function job(status: Status): State {
  const is = (name: string) => status.conditions?.find(({ type, status: holds }) => type === name && holds === 'True');
  if (is('Complete')) return { ...active, state: 'completed' };
  const failed = is('Failed');
  if (failed) return { state: 'failed', transitioning: 'error', transitioningMessage: failed.message ?? '' };
  return { ...active, state: 'running' };
}
