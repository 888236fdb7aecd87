/** Every live type, by the context that it is served in. */
import { autoscaler } from './autoscaler.ts';
import { containerPorts } from './container-ports.ts';
import { type LiveType, liveType } from './live-type.ts';
import { networkTypes } from './network.ts';
import { annotation, embed, move, within } from './ops.ts';
import { podSpec } from './pod-spec.ts';
import { podStatus } from './pod-status.ts';
import { secretTypes } from './secrets.ts';
import { storageTypes } from './storage.ts';
import { workloadKinds } from './workloads.ts';

const configMap = liveType({
  id: 'configMap',
  context: 'project',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespaced: true,
});

const pod = liveType({
  id: 'pod',
  context: 'project',
  apiVersion: 'v1',
  kind: 'Pod',
  resource: 'pods',
  namespaced: true,
  spec: podSpec,
  ops: [
    podStatus,
    within('status', move('hostIP', 'nodeIp'), move('podIP', 'podIp')),
    annotation('description'),
    annotation('publicEndpoints', { json: true }),
    annotation('workloadMetrics', { json: true }),
    containerPorts,
  ],
});

const apiService = liveType({
  id: 'apiService',
  context: 'cluster',
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  resource: 'apiservices',
  namespaced: false,
  spec: [],
  ops: [embed('status', [])],
});

export const liveTypes: readonly LiveType[] = [
  configMap,
  pod,
  apiService,
  autoscaler,
  ...secretTypes,
  ...networkTypes,
  ...storageTypes,
  ...workloadKinds,
];
