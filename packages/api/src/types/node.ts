/** Node: one machine of a cluster, kept in step with the cluster's own Node. */
import { array, date, hostname, int, map, password, reference, string, struct } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, falseByDefault, readOnly } from './shared.ts';

const zero = { nullable: false, default: 0 } as const;
const info = struct(
  'nodeInfo',
  {
    cpu: struct('cpuInfo', { count: int(zero) }),
    memory: struct('memoryInfo', { memTotalKiB: int(zero) }),
    os: struct('osInfo', {
      containerRuntimeVersion: string({ as: 'dockerVersion' }),
      kernelVersion: string(),
      operatingSystem: string(),
    }),
    kubernetes: struct('kubernetesInfo', { kubeProxyVersion: string(), kubeletVersion: string() }),
  },
  readOnly,
);
const taint = struct('taint', { effect: string(), key: string(), timeAdded: date(), value: string() });

/** What was said on a host when it registered. */
const customConfig = struct('customConfig', {
  address: string(),
  dockerSocket: string(),
  internalAddress: string(),
  label: map(string()),
  sshCert: string(),
  sshKey: password(),
  taints: array(string()),
  user: string(),
});

export const node = defineType({
  id: 'node',
  pluralName: 'nodes',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Node',
  resource: 'nodes',
  scope: 'namespaced',
  namePrefix: 'm-',
  spec: {
    displayName: string({ as: 'name' }),
    description: string(),
    clusterName: reference('cluster', { as: 'clusterId', required: true, update: false }),
    controlPlane: falseByDefault({ update: false }),
    etcd: falseByDefault({ update: false }),
    worker: falseByDefault({ update: false }),
    imported: falseByDefault(),
    customConfig,
    requestedHostname: hostname({ required: true, update: false }),
    podCidr: string(readOnly),
    podCidrs: array(string(), readOnly),
    providerId: string(readOnly),
    taints: array(taint, { create: false }),
    unschedulable: falseByDefault(readOnly),
  },
  status: {
    conditions: conditions('nodeCondition', { lastHeartbeatTime: date(), lastTransitionTime: date() }),
    nodeName: string(readOnly),
    hostname: string(readOnly),
    ipAddress: string(readOnly),
    externalIpAddress: string(readOnly),
    capacity: map(string(), readOnly),
    allocatable: map(string(), readOnly),
    requested: map(string(), readOnly),
    limits: map(string(), readOnly),
    usage: map(string(), readOnly),
    nodeLabels: map(string(), { as: 'labels' }),
    nodeAnnotations: map(string(), { as: 'annotations' }),
    info,
    /** By what the host proves that it is the one that registered: the public key of its agent, and its machine-id. */
    hostIdentity: map(string(), { secret: true, ...readOnly }),
  },
  v3: {
    collectionMethods: ['GET'],
    resourceMethods: ['GET', 'DELETE'],
    resourceActions: { cordon: {}, drain: { input: 'nodeDrainInput' }, stopDrain: {}, uncordon: {} },
    status: 'lifted',
    nameFrom: 'displayName',
    namespaceFrom: 'clusterId',
  },
  columns: ['id', 'nodeName', 'state', 'ipAddress', 'controlPlane', 'etcd', 'worker'],
});
