/** Workloads of the cluster that pages are looked at in, and what a kubelet and controllers would report of them. */
import type { World } from './web-world.ts';

export interface Made {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
  readonly status?: object;
}

export const image = (name: string) => `registry.example/shop/${name}:1.4.2`;
export const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString().replace(/\.\d+/, '');
const condition = (type: string, status: 'True' | 'False', message = '', reason = type) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: ago(45),
});

const workload = (
  kind: string,
  { name, namespace, ...spec }: { readonly name: string; readonly namespace: string } & Record<string, unknown>,
): Made => {
  const labels = { app: name };
  const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } };
  const template = { metadata: { labels }, spec: { containers: [{ name, image: image(name), resources }] } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
};

export const job = { restartPolicy: 'Never', containers: [{ name: 'run', image: image('tools'), args: ['migrate'] }] };

export const api = workload('Deployment', { name: 'api', namespace: 'payments', replicas: 3 });
export const cache = workload('StatefulSet', { name: 'cache', namespace: 'shop', replicas: 2, serviceName: 'cache' });
export const shipper = workload('DaemonSet', { name: 'log-shipper', namespace: 'shop' });
const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } };
export const migrate: Made = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate-orders', namespace: 'shop' },
  spec: { template: { spec: job }, backoffLimit: 1 },
};

export const crashing = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'api-6d5f7c9b4-x2x7q', namespace: 'payments' },
};
export const waiting = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'api-6d5f7c9b4-m9k4t', namespace: 'payments' },
};
export const running = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'api-6d5f7c9b4-hw8zd', namespace: 'payments' },
};
export const web0 = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'shop' } };

/** The status of each, and of the nodes: one crashes, one finds no node, one node is gone, a job has failed. */
export function statuses({ kubelet }: World): readonly object[] {
  const at = ago(40);
  const container = (name: string, state: object, restartCount = 0) => ({
    name,
    image: 'nginx:1.29',
    imageID: '',
    ready: 'running' in state,
    started: 'running' in state,
    restartCount,
    state,
    ...(restartCount > 0
      ? { lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: at, finishedAt: ago(31) } } }
      : {}),
  });
  const podStatus = (phase: string, ...containerStatuses: ReturnType<typeof container>[]) => ({
    phase,
    podIP: '10.42.0.7',
    podIPs: [{ ip: '10.42.0.7' }],
    hostIP: '10.1.0.1',
    startTime: at,
    conditions: [condition('Ready', containerStatuses.every(({ ready }) => ready) ? 'True' : 'False')],
    containerStatuses,
  });
  const up = () => container('web', { running: { startedAt: at } });
  const message = 'back-off 5m0s restarting failed container=web pod=api-6d5f7c9b4-x2x7q_payments';
  const node = {
    capacity: { cpu: '8', memory: '16Gi', pods: '110' },
    allocatable: { cpu: '7500m', memory: '15Gi', pods: '110' },
    nodeInfo: {
      architecture: 'amd64',
      bootID: '',
      containerRuntimeVersion: 'containerd://2.1.4',
      kernelVersion: '6.12.0-3-amd64',
      kubeProxyVersion: '',
      kubeletVersion: 'v1.36.3',
      machineID: '',
      operatingSystem: 'linux',
      osImage: 'Debian GNU/Linux 13 (trixie)',
      systemUUID: '',
    },
  };
  const unschedulable = '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unreachable.';
  return [
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1' },
      status: {
        ...node,
        ...kubelet.nodeStatus,
        conditions: [condition('Ready', 'True', 'kubelet is posting ready status')],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-2' },
      status: {
        ...node,
        conditions: [condition('Ready', 'False', 'Kubelet stopped posting node status.', 'NodeStatusUnknown')],
      },
    },
    {
      ...web,
      status: {
        replicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
        updatedReplicas: 2,
        conditions: [condition('Available', 'True', 'Deployment has minimum availability.')],
      },
    },
    {
      ...api,
      status: {
        replicas: 3,
        readyReplicas: 1,
        availableReplicas: 1,
        updatedReplicas: 3,
        unavailableReplicas: 2,
        conditions: [
          condition(
            'Available',
            'False',
            'Deployment does not have minimum availability.',
            'MinimumReplicasUnavailable',
          ),
          condition(
            'Progressing',
            'False',
            'ReplicaSet "api-6d5f7c9b4" has timed out progressing.',
            'ProgressDeadlineExceeded',
          ),
        ],
      },
    },
    {
      ...cache,
      status: { replicas: 2, readyReplicas: 2, availableReplicas: 2, currentReplicas: 2, updatedReplicas: 2 },
    },
    {
      ...shipper,
      status: {
        currentNumberScheduled: 2,
        desiredNumberScheduled: 2,
        numberReady: 1,
        numberAvailable: 1,
        numberMisscheduled: 0,
        updatedNumberScheduled: 2,
      },
    },
    {
      ...migrate,
      status: {
        startTime: at,
        failed: 2,
        conditions: [
          condition('FailureTarget', 'True', 'Job has reached the specified backoff limit', 'BackoffLimitExceeded'),
          condition('Failed', 'True', 'Job has reached the specified backoff limit', 'BackoffLimitExceeded'),
        ],
      },
    },
    { ...web0, status: podStatus('Running', up()) },
    { ...web0, metadata: { name: 'web-1', namespace: 'shop' }, status: podStatus('Running', up()) },
    { ...running, status: podStatus('Running', up()) },
    {
      ...crashing,
      status: podStatus('Running', container('web', { waiting: { reason: 'CrashLoopBackOff', message } }, 7)),
    },
    {
      ...waiting,
      status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', unschedulable, 'Unschedulable')] },
    },
  ];
}
