/**
 * `metadata.state`: what state an object of a cluster is in, by the same rules for lists, gets and watches. They are those that
 * dashboards of this ecosystem have come to know: being deleted, then conditions, then what the kind itself says.
 */

export interface ObjectState {
  readonly name: string;
  readonly error: boolean;
  readonly transitioning: boolean;
  readonly message: string;
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What of an object its state is read from. */
export interface Observed {
  readonly kind?: string;
  readonly metadata: {
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly generation?: number;
  };
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

/** Conditions that are wrong when False, wrong when True, or on the way when Unknown or False. */
const falseIsError = new Set(['Initialized', 'ContainersReady', 'Available', 'Established', 'NamesAccepted']);
const falseIsTransition = new Set([
  'Ready',
  'Available',
  'Progressing',
  'Active',
  'AddonDeploy',
  'AgentDeployed',
  'AgentFetchedKubeconfig',
  'AgentTLSReady',
  'BackingNamespaceCreated',
  'Built',
  'CertsGenerated',
  'ConditionReady',
  'CreatorMadeOwner',
  'DefaultNamespaceAssigned',
  'DefaultProjectCreated',
  'Deployed',
  'DiskPressure',
  'Downloaded',
  'Initialized',
  'InitialRolesPopulated',
  'Installed',
  'NoDiskPressure',
  'NoMemoryPressure',
  'PodScheduled',
  'Provisioned',
  'Reconciled',
  'Registered',
  'Removed',
  'Saved',
  'Updated',
  'Updating',
  'Upgraded',
  'Waiting',
]);
const trueIsError = new Set([
  'Failed',
  'Stalled',
  'OutOfDisk',
  'MemoryPressure',
  'DiskPressure',
  'NetworkUnavailable',
  'ReplicaFailure',
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
]);

const active: ObjectState = { name: 'active', error: false, transitioning: false, message: '' };

/** `printed` is the state that the printer column of a pod shows. */
export function stateOf(object: Observed, printed?: string): ObjectState {
  if (object.metadata.deletionTimestamp) {
    const waiting = object.metadata.finalizers?.length ? `waiting on ${object.metadata.finalizers[0]}` : '';
    return { name: 'removing', error: false, transitioning: true, message: waiting };
  }
  const special = object.kind ? specials[object.kind]?.(object, printed) : undefined;
  return special ?? behindState(object) ?? conditionState(object);
}

function conditionsOf(object: Observed): readonly Condition[] {
  const conditions = object.status?.['conditions'];
  return Array.isArray(conditions) ? (conditions as Condition[]) : [];
}

function conditionState(object: Observed): ObjectState {
  const conditions = conditionsOf(object);
  const messages: string[] = [];
  let name = '';
  let error = false;
  let transitioning = false;
  for (const { type = '', status, reason, message } of conditions) {
    const isError = reason === 'Error' || (trueIsError.has(type) && status === 'True');
    const isOnTheWay =
      !isError && falseIsTransition.has(type) && !trueIsError.has(type) && status !== 'True' && status !== undefined;
    if (!isError && !isOnTheWay) continue;
    if (isError || (falseIsError.has(type) && status === 'False')) error = true;
    else transitioning = true;
    if (!name) name = isError ? 'error' : type === 'Ready' || type === 'Available' ? 'unavailable' : 'in-progress';
    if (message) messages.push(message);
  }
  if (name)
    return { name: error ? 'error' : name, error, transitioning: transitioning && !error, message: messages.join(':') };
  const phase = object.status?.['phase'] ?? object.status?.['state'];
  if (typeof phase === 'string' && phase !== '') {
    const lower = phase.toLowerCase();
    const failed = lower === 'failed' || lower === 'error' || lower === 'lost';
    return { name: lower, error: failed, transitioning: lower === 'pending' || lower === 'terminating', message: '' };
  }
  return active;
}

/** The object's own controller has not looked at its latest version yet. */
function behindState({ metadata, status }: Observed): ObjectState | undefined {
  const seen = status?.['observedGeneration'];
  if (typeof seen !== 'number' || metadata.generation === undefined || seen >= metadata.generation) return undefined;
  return inProgress(`observed generation ${seen} is not yet ${metadata.generation}`);
}

const inProgress = (message: string): ObjectState => ({
  name: 'in-progress',
  error: false,
  transitioning: true,
  message,
});
const number = (value: unknown, fallback = 0): number => (typeof value === 'number' ? value : fallback);

const podErrors = /BackOff|^Err|Error|Invalid|OOMKilled|Evicted|Failed|CannotRun/;
const podEnds = /^(?:Running|Succeeded|Completed)$/;

type Special = (object: Observed, printed: string | undefined) => ObjectState | undefined;

const replicas: Special = object => {
  const wanted = number(object.spec?.['replicas'], 1);
  const { status = {} } = object;
  const failed = conditionsOf(object).find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  if (failed) return { name: 'error', error: true, transitioning: false, message: failed.message ?? '' };
  const stuck = conditionsOf(object).find(({ type, status: is }) => type === 'Progressing' && is === 'False');
  if (stuck) return { name: 'error', error: true, transitioning: false, message: stuck.message ?? '' };
  const behind = behindState(object);
  if (behind) return behind;
  const ready = number(status['readyReplicas']);
  if (ready < wanted) return inProgress(`Ready: ${ready}/${wanted}`);
  return active;
};

const specials: Readonly<Record<string, Special>> = {
  Pod({ status = {}, metadata }, printed) {
    const shown = printed ?? String(status['reason'] ?? status['phase'] ?? 'Unknown');
    const error = podErrors.test(shown);
    const waiting = conditionsOf({ metadata, status }).find(({ status: is }) => is === 'False');
    const ended = podEnds.test(shown);
    return {
      name: shown.charAt(0).toLowerCase() + shown.slice(1),
      error,
      transitioning: !error && !ended,
      message: error || !ended ? String(status['message'] ?? waiting?.message ?? '') : '',
    };
  },
  Deployment: replicas,
  StatefulSet: replicas,
  ReplicaSet: replicas,
  ReplicationController: replicas,
  DaemonSet(object) {
    const wanted = number(object.status?.['desiredNumberScheduled']);
    const ready = number(object.status?.['numberReady']);
    return behindState(object) ?? (ready < wanted ? inProgress(`Ready: ${ready}/${wanted}`) : active);
  },
  Job(object) {
    const is = (type: string) => conditionsOf(object).find(one => one.type === type && one.status === 'True');
    const failed = is('Failed');
    if (failed) return { name: 'failed', error: true, transitioning: false, message: failed.message ?? '' };
    if (is('Complete')) return { name: 'completed', error: false, transitioning: false, message: '' };
    return is('Suspended') ? { ...active, name: 'suspended' } : inProgress('');
  },
  Service({ spec = {}, status = {} }) {
    if (spec['type'] !== 'LoadBalancer') return active;
    const { ingress } = (status['loadBalancer'] ?? {}) as { ingress?: unknown[] };
    return ingress?.length
      ? active
      : { name: 'pending', error: false, transitioning: true, message: 'Load balancer is being provisioned' };
  },
  CustomResourceDefinition(object) {
    const established = conditionsOf(object).some(({ type, status }) => type === 'Established' && status === 'True');
    return established ? active : inProgress('is not established yet');
  },
  Node(object) {
    const ready = conditionsOf(object).find(({ type }) => type === 'Ready');
    if (ready && ready.status !== 'True')
      return { name: 'unavailable', error: true, transitioning: false, message: ready.message ?? '' };
    return undefined;
  },
};
