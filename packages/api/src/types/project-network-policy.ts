/** ProjectNetworkPolicy: says that a project's namespaces are reached from their own project alone; made with the cluster's isolation. */
import { reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { readOnly } from './shared.ts';

export const projectNetworkPolicy = defineType({
  id: 'projectNetworkPolicy',
  pluralName: 'projectNetworkPolicies',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'ProjectNetworkPolicy',
  resource: 'projectnetworkpolicies',
  scope: 'namespaced',
  namePrefix: 'pnp-',
  spec: {
    description: string(),
    projectName: reference('project', { as: 'projectId', required: true }),
  },
  v3: {
    collectionMethods: ['GET'],
    resourceMethods: ['GET'],
    computed: {
      state: { type: 'string', nullable: false, ...readOnly },
      transitioning: { type: 'enum', options: ['yes', 'no', 'error'], nullable: false, ...readOnly },
      transitioningMessage: { type: 'string', nullable: false, ...readOnly },
    },
    nameFrom: 'metadata',
    namespaceFrom: 'projectId',
  },
  columns: ['name', 'projectId'],
});
