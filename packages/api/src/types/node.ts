/** Node: one machine of a cluster, kept in step with the cluster's own Node. */
import { array, boolean, json, map, reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { conditions, falseByDefault, readOnly } from './shared.ts';

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
    clusterName: reference('cluster', { as: 'clusterId', ...readOnly }),
    controlPlane: falseByDefault(readOnly),
    etcd: falseByDefault(readOnly),
    worker: falseByDefault(readOnly),
    imported: falseByDefault(readOnly),
    requestedHostname: string({ update: false }),
    podCidr: string(readOnly),
    podCidrs: array(string(), readOnly),
    providerId: string(readOnly),
    taints: json(readOnly),
    unschedulable: boolean(readOnly),
  },
  status: {
    conditions: conditions('nodeCondition'),
    nodeName: string(readOnly),
    hostname: string(readOnly),
    ipAddress: string(readOnly),
    externalIpAddress: string(readOnly),
    capacity: map(string(), readOnly),
    allocatable: map(string(), readOnly),
    requested: map(string(), readOnly),
    limits: map(string(), readOnly),
    usage: map(string(), readOnly),
    nodeLabels: map(string(), { as: 'labels', ...readOnly }),
    nodeAnnotations: map(string(), { as: 'annotations', ...readOnly }),
    info: json(readOnly),
  },
  v3: {
    collectionMethods: ['GET'],
    resourceMethods: ['GET'],
    status: 'lifted',
    nameFrom: 'displayName',
    namespaceFrom: 'clusterId',
  },
  columns: ['id', 'nodeName', 'state', 'ipAddress', 'controlPlane', 'etcd', 'worker'],
});
