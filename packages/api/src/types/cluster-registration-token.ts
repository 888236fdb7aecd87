/** ClusterRegistrationToken: lets a cluster's agent register. The token itself is kept as a Secret and shown on read to those who may. */
import { int, reference, string } from '../field.ts';
import { defineType } from '../type.ts';
import { readOnly } from './shared.ts';

export const clusterRegistrationToken = defineType({
  id: 'clusterRegistrationToken',
  pluralName: 'clusterRegistrationTokens',
  group: 'management.cattle.io',
  version: 'v3',
  kind: 'ClusterRegistrationToken',
  resource: 'clusterregistrationtokens',
  scope: 'namespaced',
  namePrefix: 'crt-',
  spec: {
    clusterName: reference('cluster', { as: 'clusterId', required: true }),
    /** Minutes; 0 or less = never expires, absent = the default of the settings. */
    ttl: int(),
    gracePeriod: int(),
  },
  status: {
    tokenSecretName: string(readOnly),
    expiresAt: string(readOnly),
    gracePeriodExpiresAt: string(readOnly),
    token: string(readOnly),
    manifestUrl: string(readOnly),
    command: string(readOnly),
    insecureCommand: string(readOnly),
    nodeCommand: string(readOnly),
    insecureNodeCommand: string(readOnly),
    windowsNodeCommand: string(readOnly),
    insecureWindowsNodeCommand: string(readOnly),
  },
  v3: {
    collectionMethods: ['GET', 'POST'],
    resourceMethods: ['GET', 'PUT', 'DELETE'],
    status: 'lifted',
    nameFrom: 'metadata',
    namespaceFrom: 'clusterId',
  },
});
