/** Project: namespaces of one cluster that belong together. */
import { map, reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { containerLimit, namespaceQuota, projectQuota } from './quota.ts';
import { conditions, readOnly } from './shared.ts';

export const project = defineType({
  id: 'project',
  pluralName: 'projects',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'Project',
  resource: 'projects',
  scope: 'namespaced',
  namePrefix: 'p-',
  spec: {
    displayName: string({ as: 'name', required: true }),
    description: string(),
    clusterName: reference('cluster', { as: 'clusterId', required: true }),
    resourceQuota: projectQuota,
    /** What a namespace gets that asks for nothing else. */
    namespaceDefaultResourceQuota: namespaceQuota,
    containerDefaultResourceLimit: containerLimit,
  },
  status: {
    conditions: conditions('projectCondition'),
    backingNamespace: string(readOnly),
    requested: map(string(), readOnly),
    limits: map(string(), readOnly),
    usage: map(string(), readOnly),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    resourceActions: { exportYaml: {} },
    status: 'lifted',
    nameFrom: 'displayName',
    namespaceFrom: 'clusterId',
  },
  columns: ['id', 'name', 'clusterId', 'state'],
});
